package sam

import (
	"maps"
	"slices"
)

// deadLetters is where a function's failed asynchronous events go.
type deadLetters struct {
	action string
	target any // ARN
}

// deadLetterQueue reads DeadLetterQueue; nil where there is none.
func deadLetterQueue(property any) (*deadLetters, error) {
	queue, _ := property.(map[string]any)
	if queue == nil {
		return nil, nil
	}
	kind, _ := queue["Type"].(string)
	if kind == "" || queue["TargetArn"] == nil {
		return nil, fault("'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
	}
	action, known := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[kind]
	if !known {
		return nil, fault("'DeadLetterQueue' requires Type of ['SQS', 'SNS']")
	}
	return &deadLetters{action: action, target: queue["TargetArn"]}, nil
}

func (d deadLetters) policy() map[string]any {
	policy := allow("DeadLetterQueuePolicy", d.action, d.target)
	policy["PolicyDocument"].(map[string]any)["Version"] = "2012-10-17"
	return policy
}

// destinationActions is what a function's role must be allowed for each type of
// destination, and what the policy is called.
var destinationActions = map[string]struct{ action, suffix string }{
	"SQS":         {"sqs:SendMessage", "SQSPolicy"},
	"EventBridge": {"events:PutEvents", "EventBridgePolicy"},
	"Lambda":      {"lambda:InvokeFunction", "LambdaPolicy"},
}

// eventInvokeConfig adds a function's EventInvokeConfig and, for a destination
// of type SQS without an ARN, its queue. It returns the policies that the role
// needs.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventinvokeconfiguration.html
func (d *document) eventInvokeConfig(s serverless) ([]any, error) {
	config, _ := s.properties["EventInvokeConfig"].(map[string]any)
	if config == nil {
		return nil, nil
	}
	id := s.id + "EventInvokeConfig"
	properties := pick(config, "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
	properties["FunctionName"] = ref(s.id)
	properties["Qualifier"] = "$LATEST"

	var policies []any
	written := map[string]any{}
	destinations, _ := config["DestinationConfig"].(map[string]any)
	for _, on := range slices.Sorted(maps.Keys(destinations)) {
		if on != "OnSuccess" && on != "OnFailure" {
			return nil, fault("Property 'EventInvokeConfig.DestinationConfig.%s' is invalid; OnSuccess and OnFailure are the ones there are.", on)
		}
		arn, policy, err := d.destination(s, id+on, destinations[on])
		if err != nil {
			return nil, err
		}
		policies = append(policies, policy)
		written[on] = map[string]any{"Destination": arn}
	}
	// The role lists success before failure.
	slices.Reverse(policies)
	properties["DestinationConfig"] = written
	return policies, d.add(s.id, id, "AWS::Lambda::EventInvokeConfig", without(s.attributes, "DependsOn"), properties)
}

func (d *document) destination(s serverless, id string, config any) (arn any, policy map[string]any, err error) {
	destination, isMap := config.(map[string]any)
	if !isMap {
		return nil, nil, fault("Property '%s' should be a map.", id)
	}
	kind, _ := destination["Type"].(string)
	grant, known := destinationActions[kind]
	if !known {
		return nil, nil, fault("'Type: %v' must be one of %s", destination["Type"], choices(slices.Sorted(maps.Keys(destinationActions))))
	}
	arn = destination["Destination"]
	if _, values, isIf := branches(arn); isIf && slices.ContainsFunc(values[:], isNoValue) {
		return nil, nil, fault("'Destination' with AWS::NoValue is not supported by the local endpoint; name an ARN in both branches of Fn::If.")
	}
	if arn == nil {
		if kind != "SQS" {
			return nil, nil, fault("Destination is required if Type is not ['SQS']")
		}
		arn = getAtt(id+"Queue", "Arn")
		if err := d.add(s.id, id+"Queue", "AWS::SQS::Queue", s.inherited(), map[string]any{}); err != nil {
			return nil, nil, err
		}
	}
	return arn, allow(id+grant.suffix, grant.action, arn), nil
}

// without returns a copy of m that lacks a member.
func without(m map[string]any, name string) map[string]any {
	rest := maps.Clone(m)
	delete(rest, name)
	return rest
}
