package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"api-destination-credentials/local/endpoint"
	"api-destination-credentials/local/wire"
)

// clients know the operations' inputs; a target is the prefix of X-Amz-Target
// of those services that speak AWS JSON.
var clients = map[string]struct {
	client reflect.Type
	target string
}{
	"apigateway":     {reflect.TypeFor[*apigatewayv2.Client](), ""},
	"cloudformation": {reflect.TypeFor[*cloudformation.Client](), ""},
	"cognito-idp":    {reflect.TypeFor[*cognitoidentityprovider.Client](), "AWSCognitoIdentityProviderService"},
	"dynamodb":       {reflect.TypeFor[*dynamodb.Client](), "DynamoDB_20120810"},
	"events":         {reflect.TypeFor[*eventbridge.Client](), "AWSEvents"},
	"iam":            {reflect.TypeFor[*iam.Client](), ""},
	"kms":            {reflect.TypeFor[*kms.Client](), "TrentService"},
	"lambda":         {reflect.TypeFor[*lambda.Client](), ""},
	"logs":           {reflect.TypeFor[*cloudwatchlogs.Client](), "Logs_20140328"},
	"monitoring":     {reflect.TypeFor[*cloudwatch.Client](), "GraniteServiceVersion20100801"},
	"secretsmanager": {reflect.TypeFor[*secretsmanager.Client](), "secretsmanager"},
	"sqs":            {reflect.TypeFor[*sqs.Client](), "AmazonSQS"},
	"sts":            {reflect.TypeFor[*sts.Client](), ""},
}

// restClients are of the services whose requests only the SDK knows to write.
var restClients = map[string]func(aws.Config) any{
	"apigateway": func(c aws.Config) any { return apigatewayv2.NewFromConfig(c) },
	"lambda":     func(c aws.Config) any { return lambda.NewFromConfig(c) },
}

// FuzzOperation holds that no input makes an operation fail as the endpoint's
// own fault: whatever is wrong with it is said in an error of AWS's form.
func FuzzOperation(f *testing.F) {
	for _, seed := range [][2]string{
		{"events:PutRule", `{"Name":"r","EventPattern":"{\"source\":[{\"prefix\":\"a\"}]}","State":"ENABLED","Tags":[{"Key":"a","Value":"b"}]}`},
		{"events:PutRule", `{"Name":"s","ScheduleExpression":"cron(0/5 8 ? * MON#2 *)"}`},
		{"events:PutTargets", `{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:us-east-1:123456789012:q","InputTransformer":{"InputPathsMap":{"a":"$.a"},"InputTemplate":"\"<a>\""},"RetryPolicy":{"MaximumRetryAttempts":1}}]}`},
		{"events:PutEvents", `{"Entries":[{"Source":"a","DetailType":"b","Detail":"{\"a\":1}","Time":1e9,"Resources":["c"]}]}`},
		{"events:CreateConnection", `{"Name":"c","AuthorizationType":"OAUTH_CLIENT_CREDENTIALS","AuthParameters":{"OAuthParameters":{"AuthorizationEndpoint":"https://localhost.invalid/","HttpMethod":"POST","ClientParameters":{"ClientID":"i","ClientSecret":"s"}}}}`},
		{"events:CreateApiDestination", `{"Name":"d","ConnectionArn":"arn:aws:events:us-east-1:123456789012:connection/c/1","HttpMethod":"POST","InvocationEndpoint":"https://localhost.invalid/*"}`},
		{"secretsmanager:CreateSecret", `{"Name":"s","SecretString":"{}"}`},
		{"secretsmanager:RotateSecret", `{"SecretId":"s","RotationLambdaARN":"arn:aws:lambda:us-east-1:123456789012:function:f","RotationRules":{"ScheduleExpression":"rate(4 hours)","Duration":"3h"}}`},
		{"secretsmanager:GetRandomPassword", `{"PasswordLength":40,"ExcludeCharacters":"abc","RequireEachIncludedType":true}`},
		{"kms:CreateKey", `{"Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"kms:*\",\"Resource\":\"*\"}}"}`},
		{"kms:Decrypt", `{"CiphertextBlob":"AQICAHg="}`},
		{"logs:CreateLogGroup", `{"logGroupName":"g"}`},
		{"logs:FilterLogEvents", `{"logGroupName":"g","filterPattern":"{ $.a = 1* && ($.b[0].c NOT EXISTS || $.d != \"x\") }","startTime":0,"nextToken":"a"}`},
		{"logs:PutMetricFilter", `{"logGroupName":"g","filterName":"f","filterPattern":"?a -b \"c d\"","metricTransformations":[{"metricName":"m","metricNamespace":"n","metricValue":"$.a","defaultValue":0}]}`},
		{"monitoring:PutMetricData", `{"Namespace":"n","MetricData":[{"MetricName":"m","Value":1,"Dimensions":[{"Name":"a","Value":"b"}]},{"MetricName":"m","Values":[1,2],"Counts":[1,2]}]}`},
		{"monitoring:PutMetricAlarm", `{"AlarmName":"a","MetricName":"m","Namespace":"n","Statistic":"Sum","Period":60,"EvaluationPeriods":1,"Threshold":"NaN","ComparisonOperator":"GreaterThanThreshold"}`},
		{"monitoring:DescribeAlarms", `{"AlarmNames":["a"]}`},
		{"monitoring:GetMetricStatistics", `{"Namespace":"n","MetricName":"m","StartTime":0,"EndTime":2e9,"Period":60,"Statistics":["Sum"],"ExtendedStatistics":["p99.9"]}`},
		{"monitoring:GetMetricData", `{"StartTime":0,"EndTime":99999999999,"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"n","MetricName":"m"},"Period":1,"Stat":"Sum"}}]}`},
		{"monitoring:PutDashboard", `{"DashboardName":"d","DashboardBody":"{\"widgets\":[{\"type\":\"metric\",\"properties\":{\"metrics\":[[\"a\",\"b\"]]}}]}"}`},
		{"sqs:CreateQueue", `{"QueueName":"q","Attributes":{"Policy":"{}","RedrivePolicy":"{\"maxReceiveCount\":1}","VisibilityTimeout":"1"}}`},
		{"sqs:SendMessage", `{"QueueUrl":"http://127.0.0.1/123456789012/q","MessageBody":"b","DelaySeconds":1,"MessageAttributes":{"a":{"DataType":"String","StringValue":"c"}}}`},
		{"iam:CreateRole", `{"RoleName":"r","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}}","Tags":[{"Key":"a","Value":"b"}]}`},
		{"iam:PutRolePolicy", `{"RoleName":"r","PolicyName":"p","PolicyDocument":"{\"Statement\":[{\"Effect\":\"Deny\",\"NotAction\":\"a:*\",\"Resource\":\"*\"}]}"}`},
		{"sts:AssumeRole", `{"RoleArn":"arn:aws:iam::123456789012:role/r","RoleSessionName":"s","DurationSeconds":900}`},
		{"cloudformation:CreateChangeSet", `{"StackName":"s","ChangeSetName":"c","ChangeSetType":"CREATE","TemplateBody":"Resources: {A: {Type: AWS::SQS::Queue}}","Parameters":[{"ParameterKey":"a"}]}`},
		{"cognito-idp:CreateUserPool", `{"PoolName":"p"}`},
		{"apigateway:ImportApi", `{"Body":"{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"t\"},\"paths\":{}}"}`},
		{"lambda:CreateFunction", `{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},"Runtime":"provided.al2023","Handler":"bootstrap"}`},
		{"lambda:AddPermission", `{"FunctionName":"f","StatementId":"s","Action":"lambda:InvokeFunction","Principal":"events.amazonaws.com","SourceArn":"arn:aws:*"}`},
	} {
		f.Add(seed[0], seed[1])
	}
	e := &fuzzedEndpoint{}
	e.restart(f)
	f.Cleanup(func() { e.Close() })
	// Every operation once with no member and once with each.
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z-]+) \| ([A-Z][A-Za-z, ]+) \|$`).FindAllStringSubmatch(e.Reference(), -1) {
		for _, operation := range strings.Split(row[2], ", ") {
			input := inputOf(row[1], operation)
			if input == nil {
				f.Fatalf("no client knows %s:%s", row[1], operation)
			}
			full, err := json.Marshal(skeleton(input, 0))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(row[1]+":"+operation, `{}`)
			f.Add(row[1]+":"+operation, string(full))
		}
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		if e.calls++; e.calls%5000 == 0 {
			e.Close()
			e.restart(t)
		}
		service, name, _ := strings.Cut(operation, ":")
		input := inputOf(service, name)
		if input == nil {
			return
		}
		status, answer := e.call(t, service, name, input, body)
		if log := e.log.String(); strings.Contains(log, "The local endpoint failed") {
			t.Fatalf("%s %s fails: %s", operation, body, log)
		}
		if status >= 500 || clients[service].target != "" && !json.Valid([]byte(answer)) {
			t.Errorf("%s %s is answered %d %q", operation, body, status, answer)
		}
		e.log.Reset()
	})
}

type fuzzedEndpoint struct {
	*endpoint.Endpoint
	log   bytes.Buffer
	calls int
}

func (e *fuzzedEndpoint) restart(t testing.TB) {
	var err error
	if e.Endpoint, err = endpoint.Start(endpoint.Config{Log: slog.New(slog.NewTextHandler(&e.log, &slog.HandlerOptions{Level: slog.LevelError}))}); err != nil {
		t.Fatal(err)
	}
}

// Do makes the endpoint the SDK's connection to it.
func (e *fuzzedEndpoint) Do(r *http.Request) (*http.Response, error) {
	answered := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	e.ServeHTTP(answered, r)
	return answered.Result(), nil
}

// call writes an operation's request from its members in JSON.
func (e *fuzzedEndpoint) call(t *testing.T, service, name string, input reflect.Type, body string) (status int, answer string) {
	// Long polling and stacks may wait.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if connect := restClients[service]; connect != nil {
		var members any
		into := reflect.New(input)
		if json.Unmarshal([]byte(body), &members) != nil || wire.Decode(members, into.Interface()) != nil {
			return 0, ""
		}
		configuration := e.AWS()
		configuration.HTTPClient, configuration.RetryMaxAttempts = e, 1
		results := reflect.ValueOf(connect(configuration)).MethodByName(name).Call([]reflect.Value{reflect.ValueOf(ctx), into})
		return 0, fmt.Sprint(results[1])
	}
	form := ""
	if clients[service].target == "" {
		var members any
		if json.Unmarshal([]byte(body), &members) != nil {
			return 0, ""
		}
		fields := url.Values{"Action": {name}}
		flatten(fields, "", members)
		body, form = fields.Encode(), "application/x-www-form-urlencoded"
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/"+service+"/aws4_request")
	request.Header.Set("Content-Type", form)
	if form == "" {
		request.Header.Set("X-Amz-Target", clients[service].target+"."+name)
	}
	answered := httptest.NewRecorder()
	e.ServeHTTP(answered, request)
	return answered.Code, answered.Body.String()
}

func inputOf(service, operation string) reflect.Type {
	known, ok := clients[service]
	if !ok {
		return nil
	}
	method, ok := known.client.MethodByName(operation)
	if !ok || method.Type.NumIn() < 3 || method.Type.In(2).Kind() != reflect.Pointer {
		return nil
	}
	return method.Type.In(2).Elem()
}

// skeleton has a value for every member.
func skeleton(t reflect.Type, depth int) any {
	if values, ok := t.MethodByName("Values"); ok && t.Kind() == reflect.String {
		return values.Func.Call([]reflect.Value{reflect.Zero(t)})[0].Index(0).String()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return 1.5e9
	case t == reflect.TypeFor[[]byte]():
		return "YQ=="
	case depth > 6:
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return skeleton(t.Elem(), depth)
	case reflect.Struct:
		members := map[string]any{}
		for _, field := range reflect.VisibleFields(t) {
			if field.IsExported() && !field.Anonymous && field.Type.Kind() != reflect.Interface && field.Name != "ResultMetadata" {
				members[field.Name] = skeleton(field.Type, depth+1)
			}
		}
		return members
	case reflect.Slice:
		return []any{skeleton(t.Elem(), depth+1)}
	case reflect.Map:
		return map[string]any{"x": skeleton(t.Elem(), depth+1)}
	case reflect.String:
		return "x"
	case reflect.Bool:
		return true
	case reflect.Interface:
		return nil
	}
	return 1
}

// flatten writes members as the Query protocol does.
func flatten(form url.Values, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			flatten(form, strings.TrimPrefix(path+"."+name, "."), member)
		}
	case []any:
		for i, element := range value {
			flatten(form, fmt.Sprintf("%s.member.%d", path, i+1), element)
		}
	case nil:
	default:
		form.Set(path, fmt.Sprint(value))
	}
}
