package customresource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Stacks asks CloudFormation about the stack of a custom resource, whose request
// does not say whether an update belongs to a rollback.
type Stacks struct {
	API interface {
		DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	}
}

// RollingBack tells whether an update of the stack is being undone. Its errors
// are CloudFormation's own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
func (s Stacks) RollingBack(ctx context.Context, stackID string) (bool, error) {
	answer, err := s.API.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stackID)})
	if err != nil || len(answer.Stacks) == 0 {
		return false, err
	}
	return answer.Stacks[0].StackStatus == types.StackStatusUpdateRollbackInProgress, nil
}
