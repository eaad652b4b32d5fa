package resources_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/resources"
)

// archives is EventBridge with nothing but archives.
type archives struct {
	resources.Events
	calls
}

func (f *archives) CreateArchive(_ context.Context, in *eventbridge.CreateArchiveInput) (*eventbridge.CreateArchiveOutput, error) {
	f.note(in)
	return &eventbridge.CreateArchiveOutput{ArchiveArn: aws.String("arn:archive")}, nil
}

func (f *archives) UpdateArchive(_ context.Context, in *eventbridge.UpdateArchiveInput) (*eventbridge.UpdateArchiveOutput, error) {
	f.note(in)
	return &eventbridge.UpdateArchiveOutput{ArchiveArn: aws.String("arn:archive")}, nil
}

func (f *archives) DeleteArchive(_ context.Context, in *eventbridge.DeleteArchiveInput) (*eventbridge.DeleteArchiveOutput, error) {
	f.note(in)
	return nil, missing("ResourceNotFoundException")
}

func TestAnArchiveIsMadeOfItsProperties(t *testing.T) {
	fake := &archives{}
	p := provider(t, resources.Services{Events: fake}, "AWS::Events::Archive")
	result, err := p.Create(context.Background(), request(t, `{"ArchiveName": "a", "SourceArn": "arn:bus", "Description": "d", "KmsKeyIdentifier": "k",
		"RetentionDays": "7", "EventPattern": {"source": ["shop"]}}`))
	check(t, err)
	wantResult(t, result, cloudformation.Result{PhysicalID: "a", Attributes: map[string]any{"Arn": "arn:archive"}})
	wantCalls(t, fake.take(), &eventbridge.CreateArchiveInput{
		ArchiveName: aws.String("a"), EventSourceArn: aws.String("arn:bus"), Description: aws.String("d"), KmsKeyIdentifier: aws.String("k"),
		RetentionDays: aws.Int32(7), EventPattern: aws.String(`{"source":["shop"]}`),
	})
}

func TestAnArchiveWithoutANameGetsAShortOne(t *testing.T) {
	fake := &archives{}
	r := request(t, `{"SourceArn": "arn:bus"}`)
	r.StackName = "a-stack-with-a-name-that-is-much-longer-than-an-archive-may-have"
	result, err := provider(t, resources.Services{Events: fake}, "AWS::Events::Archive").Create(context.Background(), r)
	check(t, err)
	if len(result.PhysicalID) == 0 || len(result.PhysicalID) > 48 {
		t.Errorf("the archive is called %q", result.PhysicalID)
	}
}

func TestWhatATemplateTakesFromAnArchiveGoesBackToItsDefault(t *testing.T) {
	fake := &archives{}
	_, err := provider(t, resources.Services{Events: fake}, "AWS::Events::Archive").Update(context.Background(), change(t, "a",
		`{"ArchiveName": "a", "SourceArn": "arn:bus", "Description": "d", "KmsKeyIdentifier": "k", "RetentionDays": 7, "EventPattern": {"source": ["shop"]}}`,
		`{"ArchiveName": "a", "SourceArn": "arn:bus", "Description": "other"}`))
	check(t, err)
	wantCalls(t, fake.take(), &eventbridge.UpdateArchiveInput{
		ArchiveName: aws.String("a"), Description: aws.String("other"), KmsKeyIdentifier: aws.String(""), RetentionDays: aws.Int32(0), EventPattern: aws.String(""),
	})
}

func TestAnotherBusOrNameReplacesAnArchive(t *testing.T) {
	replaced := map[string]bool{}
	for _, name := range provider(t, resources.Services{}, "AWS::Events::Archive").Replace {
		replaced[name] = true
	}
	if len(replaced) != 2 || !replaced["ArchiveName"] || !replaced["SourceArn"] {
		t.Errorf("replaced by %v", replaced)
	}
}

func TestAnArchiveThatIsGoneIsDeleted(t *testing.T) {
	fake := &archives{}
	r := request(t, `{}`)
	r.PhysicalID = "a"
	check(t, provider(t, resources.Services{Events: fake}, "AWS::Events::Archive").Delete(context.Background(), r))
	wantCalls(t, fake.take(), &eventbridge.DeleteArchiveInput{ArchiveName: aws.String("a")})
}
