package resources

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"api-destination-credentials/local/cloudformation"
)

// Queues is Amazon SQS.
type Queues interface {
	CreateQueue(context.Context, *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error)
	SetQueueAttributes(context.Context, *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error)
	DeleteQueue(context.Context, *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error)
	TagQueue(context.Context, *sqs.TagQueueInput) (*sqs.TagQueueOutput, error)
	UntagQueue(context.Context, *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
type queue struct{ queues Queues }

// queueDefaults are the properties that are attributes of a queue, and what
// each one is where the template does not say.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var queueDefaults = object{
	"ContentBasedDeduplication":     "false",
	"DeduplicationScope":            "queue",
	"DelaySeconds":                  "0",
	"FifoThroughputLimit":           "perQueue",
	"KmsDataKeyReusePeriodSeconds":  "300",
	"KmsMasterKeyId":                "",
	"MaximumMessageSize":            "1048576",
	"MessageRetentionPeriod":        "345600",
	"ReceiveMessageWaitTimeSeconds": "0",
	"RedriveAllowPolicy":            "",
	"RedrivePolicy":                 "",
	"SqsManagedSseEnabled":          "true",
	"VisibilityTimeout":             "30",
}

func (q queue) provider() cloudformation.Provider {
	names := slices.Sorted(maps.Keys(queueDefaults))
	return cloudformation.Provider{
		Properties: known(nil, append(names, "FifoQueue", "QueueName", "Tags")...),
		Replace:    []string{"FifoQueue", "QueueName"},
		Create:     q.create,
		Update:     q.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, q.queues.DeleteQueue, object{"QueueUrl": r.PhysicalID}))
		},
	}
}

func (q queue) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	fifo, err := enabled(r.Properties, "FifoQueue", false)
	if err != nil {
		return cloudformation.Result{}, err
	}
	generated := stackName(r, 80)
	if fifo {
		generated = stackName(r, 75) + ".fifo"
	}
	name, err := given(r, "QueueName", generated)
	if err != nil {
		return cloudformation.Result{}, err
	}
	attributes, err := queueAttributes(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	if fifo {
		attributes["FifoQueue"] = "true"
	}
	tags, err := tagsOf(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, q.queues.CreateQueue, object{"QueueName": name, "Attributes": attributes, "Tags": tags})
	if err != nil {
		return cloudformation.Result{}, err
	}
	return q.result(ctx, aws.ToString(made.QueueUrl))
}

func (q queue) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	attributes, err := queueAttributes(complete(r, queueDefaults))
	if err != nil {
		return cloudformation.Result{}, err
	}
	if len(attributes) > 0 {
		if err := do(ctx, q.queues.SetQueueAttributes, object{"QueueUrl": r.PhysicalID, "Attributes": attributes}); err != nil {
			return cloudformation.Result{}, err
		}
	}
	if err := retag(ctx, r, object{"QueueUrl": r.PhysicalID}, byKey, q.queues.UntagQueue, q.queues.TagQueue); err != nil {
		return cloudformation.Result{}, err
	}
	return q.result(ctx, r.PhysicalID)
}

func (q queue) result(ctx context.Context, url string) (cloudformation.Result, error) {
	found := cloudformation.Result{PhysicalID: url}
	out, err := call(ctx, q.queues.GetQueueAttributes, object{"QueueUrl": url, "AttributeNames": []string{string(types.QueueAttributeNameQueueArn)}})
	if err != nil {
		return found, err
	}
	found.Attributes = object{"Arn": out.Attributes[string(types.QueueAttributeNameQueueArn)], "QueueName": path.Base(url), "QueueUrl": url}
	return found, nil
}

// queueAttributes are the attributes among properties, as text.
func queueAttributes(properties object) (map[string]string, error) {
	attributes := map[string]string{}
	for name := range queueDefaults {
		value := properties[name]
		if structured, isObject := value.(object); isObject {
			var err error
			if value, err = document(structured); err != nil {
				return nil, err
			}
		}
		if value == nil {
			continue
		}
		var err error
		if attributes[name], err = member[string](object{name: value}, name); err != nil {
			return nil, err
		}
	}
	return attributes, nil
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
type queuePolicy struct{ queues Queues }

func (p queuePolicy) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"PolicyDocument", "Queues"}),
		Create: func(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
			return policyResult(stackName(r, 128)), p.put(ctx, r)
		},
		Update: p.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			urls, err := member[[]string](r.Properties, "Queues")
			if err != nil {
				return err
			}
			return p.remove(ctx, urls)
		},
	}
}

func (p queuePolicy) put(ctx context.Context, r cloudformation.Request) error {
	urls, err := member[[]string](r.Properties, "Queues")
	if err != nil {
		return err
	}
	statements, err := document(r.Properties["PolicyDocument"])
	if err != nil {
		return err
	}
	for _, url := range urls {
		if err := do(ctx, p.queues.SetQueueAttributes, object{"QueueUrl": url, "Attributes": object{"Policy": statements}}); err != nil {
			return fmt.Errorf("the queue %s: %w", url, err)
		}
	}
	return nil
}

func (p queuePolicy) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	if err := p.put(ctx, r); err != nil {
		return cloudformation.Result{}, err
	}
	urls, err := member[[]string](r.Properties, "Queues")
	if err != nil {
		return cloudformation.Result{}, err
	}
	left, err := member[[]string](r.OldProperties, "Queues")
	if err != nil {
		return cloudformation.Result{}, err
	}
	return policyResult(r.PhysicalID), p.remove(ctx, without(left, urls))
}

func (p queuePolicy) remove(ctx context.Context, urls []string) error {
	for _, url := range urls {
		if err := unlessGone(do(ctx, p.queues.SetQueueAttributes, object{"QueueUrl": url, "Attributes": object{"Policy": ""}})); err != nil {
			return err
		}
	}
	return nil
}
