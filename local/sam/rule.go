package sam

const eventBridge = "events.amazonaws.com"

// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventbridgerule.html
var eventBridgeRuleShape = shape{
	"DeadLetterConfig": object,
	"Enabled":          flag,
	"EventBusName":     text,
	"Input":            text,
	"InputPath":        text,
	"InputTransformer": object,
	"Pattern":          object,
	"RetryPolicy":      object,
	"RuleName":         text,
	"State":            text,
	"Target":           object,
}

// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedule.html
var scheduleShape = shape{
	"DeadLetterConfig": object,
	"Description":      text,
	"Enabled":          flag,
	"Input":            text,
	"Name":             text,
	"RetryPolicy":      object,
	"Schedule":         text,
	"State":            text,
}

func (d *document) eventBridgeRule(e event) error {
	rule := pick(e.properties, "EventBusName")
	for property, source := range map[string]string{"EventPattern": "Pattern", "Name": "RuleName"} {
		if value := e.properties[source]; value != nil {
			rule[property] = value
		}
	}
	return d.rule(e, rule, pick(e.properties, "Input", "InputPath", "InputTransformer"))
}

func (d *document) schedule(e event) error {
	if e.properties["Schedule"] == nil {
		return fault("Missing required property 'Schedule'.")
	}
	rule := pick(e.properties, "Name", "Description")
	rule["ScheduleExpression"] = e.properties["Schedule"]
	return d.rule(e, rule, pick(e.properties, "Input"))
}

// rule adds a rule that has the event's function as its only target.
func (d *document) rule(e event, rule, target map[string]any) error {
	state, err := ruleState(e.properties)
	if err != nil {
		return err
	}
	if state != nil {
		rule["State"] = state
	}
	target["Arn"] = getAtt(e.function.id, "Arn")
	target["Id"] = targetID(e)
	if retry := e.properties["RetryPolicy"]; retry != nil {
		target["RetryPolicy"] = retry
	}
	if config, ok := e.properties["DeadLetterConfig"].(map[string]any); ok {
		queue, err := d.ruleDeadLetterQueue(e, config)
		if err != nil {
			return err
		}
		target["DeadLetterConfig"] = map[string]any{"Arn": queue}
	}
	rule["Targets"] = []any{target}
	if err := d.add(e.function.id, e.logicalID(), "AWS::Events::Rule", e.function.inherited(), rule); err != nil {
		return err
	}
	return d.permit(e, eventBridge, getAtt(e.logicalID(), "Arn"))
}

func ruleState(properties map[string]any) (any, error) {
	enabled := properties["Enabled"]
	if enabled == nil {
		return properties["State"], nil
	}
	if properties["State"] != nil {
		return nil, fault("State and Enabled Properties cannot both be specified.")
	}
	switch enabled {
	case true:
		return "ENABLED", nil
	case false:
		return "DISABLED", nil
	default:
		return nil, fault("'Enabled' must be true or false; put an intrinsic function into State.")
	}
}

// targetID names a rule's target; EventBridge allows 64 characters.
func targetID(e event) any {
	const suffix, limit = "LambdaTarget", 64
	if own, ok := e.properties["Target"].(map[string]any); ok && own["Id"] != nil {
		return own["Id"]
	}
	id := e.logicalID()
	return id[:min(len(id), limit-len(suffix))] + suffix
}

// ruleDeadLetterQueue returns the ARN of the queue that takes what the rule
// could not deliver, and adds the queue where the template leaves it to SAM.
func (d *document) ruleDeadLetterQueue(e event, config map[string]any) (any, error) {
	arn, kind := config["Arn"], config["Type"]
	switch {
	case arn != nil && kind != nil:
		return nil, fault("You can either define 'Arn' or 'Type' property of DeadLetterConfig.")
	case arn != nil:
		return arn, nil
	case kind == nil:
		return nil, fault("No 'Arn' or 'Type' property provided for DeadLetterConfig.")
	case kind != "SQS":
		return nil, fault("The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.")
	}
	queue := e.logicalID() + "Queue"
	if own := config["QueueLogicalId"]; own != nil {
		id, isText := own.(string)
		if !isText {
			return nil, fault("QueueLogicalId must be a string")
		}
		queue = id
	}
	if err := d.add(e.function.id, queue, "AWS::SQS::Queue", e.function.inherited(), map[string]any{}); err != nil {
		return nil, err
	}
	statement := map[string]any{
		"Action":    "sqs:SendMessage",
		"Effect":    "Allow",
		"Principal": map[string]any{"Service": eventBridge},
		"Resource":  getAtt(queue, "Arn"),
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": getAtt(e.logicalID(), "Arn")}},
	}
	return getAtt(queue, "Arn"), d.add(e.function.id, e.logicalID()+"QueuePolicy", "AWS::SQS::QueuePolicy", e.function.inherited(), map[string]any{
		"Queues":         []any{ref(queue)},
		"PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{statement}},
	})
}
