package resources

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"api-destination-credentials/local/cloudformation"
)

// Archives are those of Amazon EventBridge.
type Archives interface {
	CreateArchive(context.Context, *eventbridge.CreateArchiveInput) (*eventbridge.CreateArchiveOutput, error)
	UpdateArchive(context.Context, *eventbridge.UpdateArchiveInput) (*eventbridge.UpdateArchiveOutput, error)
	DeleteArchive(context.Context, *eventbridge.DeleteArchiveInput) (*eventbridge.DeleteArchiveOutput, error)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
type eventArchive struct{ archives Archives }

func (a eventArchive) provider() cloudformation.Provider {
	return cloudformation.Provider{
		Properties: known([]string{"SourceArn"}, "ArchiveName", "Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays"),
		Replace:    []string{"ArchiveName", "SourceArn"},
		Create:     a.create,
		Update:     a.update,
		Delete: func(ctx context.Context, r cloudformation.Request) error {
			return unlessGone(do(ctx, a.archives.DeleteArchive, object{"ArchiveName": r.PhysicalID}))
		},
	}
}

func (a eventArchive) create(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	name, err := given(r, "ArchiveName", stackName(r, 48))
	if err != nil {
		return cloudformation.Result{}, err
	}
	settings, err := archiveSettings(r.Properties)
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, a.archives.CreateArchive, with(settings, object{"ArchiveName": name, "EventSourceArn": r.Properties["SourceArn"]}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return archiveResult(name, made.ArchiveArn), nil
}

func (a eventArchive) update(ctx context.Context, r cloudformation.Request) (cloudformation.Result, error) {
	settings, err := archiveSettings(complete(r, object{"Description": "", "EventPattern": "", "KmsKeyIdentifier": "", "RetentionDays": 0}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	made, err := call(ctx, a.archives.UpdateArchive, with(settings, object{"ArchiveName": r.PhysicalID}))
	if err != nil {
		return cloudformation.Result{}, err
	}
	return archiveResult(r.PhysicalID, made.ArchiveArn), nil
}

func archiveSettings(properties object) (object, error) {
	pattern, err := document(properties["EventPattern"])
	if err != nil {
		return nil, err
	}
	return with(pick(properties, "Description", "KmsKeyIdentifier", "RetentionDays"), object{"EventPattern": pattern}), nil
}

func archiveResult(name string, arn *string) cloudformation.Result {
	return cloudformation.Result{PhysicalID: name, Attributes: object{"Arn": aws.ToString(arn)}}
}
