package wire

import "net/http"

// definition is what AWS's model says about a service's protocols.
type definition struct {
	target      string // prefix of X-Amz-Target, and the name in RPC v2
	json        string // version of AWS JSON
	namespace   string // of the Query protocol's XML; empty where it is not spoken
	queryErrors bool   // answers carry the code of the former Query protocol
	routes      []route
	lowerFirst  bool // JSON members start with a small letter
	textTimes   bool // JSON times are text
}

func (d definition) style() style {
	s := style{lowerFirst: d.lowerFirst, time: epochSeconds, blob: base64Text, float: floatOrText}
	if d.textTimes {
		s.time = iso8601
	}
	return s
}

// setQueryError is for the clients that still know a service's Query codes.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
func (d definition) setQueryError(w http.ResponseWriter, f failure) {
	if d.queryErrors {
		w.Header().Set("X-Amzn-Query-Error", f.code+";"+f.sender())
	}
}

// definitions has the services by the names in signatures.
var definitions = map[string]definition{
	"apigateway":     {routes: apiGatewayRoutes, lowerFirst: true, textTimes: true},
	"cloudformation": {namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/"},
	"cognito-idp":    {target: "AWSCognitoIdentityProviderService", json: "1.1"},
	"dynamodb":       {target: "DynamoDB_20120810", json: "1.0"},
	"events":         {target: "AWSEvents", json: "1.1"},
	"iam":            {namespace: "https://iam.amazonaws.com/doc/2010-05-08/"},
	"kms":            {target: "TrentService", json: "1.1"},
	"lambda":         {routes: lambdaRoutes},
	"logs":           {target: "Logs_20140328", json: "1.1", lowerFirst: true},
	"monitoring": {
		target: "GraniteServiceVersion20100801", json: "1.0", queryErrors: true,
		namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
	},
	"secretsmanager": {target: "secretsmanager", json: "1.1"},
	"sqs":            {target: "AmazonSQS", json: "1.0", queryErrors: true},
	"sts":            {namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
}

// route is where REST-JSON puts an operation. What stands in the query has the
// members' names, so that only headers need a table.
type route struct {
	operation     string
	method        string
	path          string // members in braces
	status        int    // of success
	payload       string // the member that is the whole body
	inputHeaders  map[string]string
	outputHeaders map[string]string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
var lambdaRoutes = []route{
	{operation: "CreateFunction", method: "POST", path: "/2015-03-31/functions", status: 201},
	{operation: "ListFunctions", method: "GET", path: "/2015-03-31/functions", status: 200},
	{operation: "GetFunction", method: "GET", path: "/2015-03-31/functions/{FunctionName}", status: 200},
	{operation: "DeleteFunction", method: "DELETE", path: "/2015-03-31/functions/{FunctionName}", status: 204},
	{operation: "UpdateFunctionCode", method: "PUT", path: "/2015-03-31/functions/{FunctionName}/code", status: 200},
	{operation: "GetFunctionConfiguration", method: "GET", path: "/2015-03-31/functions/{FunctionName}/configuration", status: 200},
	{operation: "UpdateFunctionConfiguration", method: "PUT", path: "/2015-03-31/functions/{FunctionName}/configuration", status: 200},
	{
		operation: "Invoke", method: "POST", path: "/2015-03-31/functions/{FunctionName}/invocations", status: 200, payload: "Payload",
		inputHeaders: map[string]string{
			"X-Amz-Invocation-Type": "InvocationType", "X-Amz-Log-Type": "LogType", "X-Amz-Client-Context": "ClientContext",
			"X-Amz-Durable-Execution-Name": "DurableExecutionName", "X-Amz-Tenant-Id": "TenantId",
		},
		outputHeaders: map[string]string{
			"X-Amz-Function-Error": "FunctionError", "X-Amz-Log-Result": "LogResult", "X-Amz-Executed-Version": "ExecutedVersion",
		},
	},
	{operation: "AddPermission", method: "POST", path: "/2015-03-31/functions/{FunctionName}/policy", status: 201},
	{operation: "GetPolicy", method: "GET", path: "/2015-03-31/functions/{FunctionName}/policy", status: 200},
	{operation: "RemovePermission", method: "DELETE", path: "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", status: 204},
	{operation: "PublishVersion", method: "POST", path: "/2015-03-31/functions/{FunctionName}/versions", status: 201},
	{operation: "ListVersionsByFunction", method: "GET", path: "/2015-03-31/functions/{FunctionName}/versions", status: 200},
	{operation: "ListAliases", method: "GET", path: "/2015-03-31/functions/{FunctionName}/aliases", status: 200},
	{operation: "GetAlias", method: "GET", path: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", status: 200},
	{operation: "ListEventSourceMappings", method: "GET", path: "/2015-03-31/event-source-mappings", status: 200},
	{operation: "GetAccountSettings", method: "GET", path: "/2016-08-19/account-settings", status: 200},
	{operation: "ListTags", method: "GET", path: "/2017-03-31/tags/{Resource}", status: 200},
	{operation: "TagResource", method: "POST", path: "/2017-03-31/tags/{Resource}", status: 204},
	{operation: "UntagResource", method: "DELETE", path: "/2017-03-31/tags/{Resource}", status: 204},
	{operation: "GetFunctionConcurrency", method: "GET", path: "/2019-09-30/functions/{FunctionName}/concurrency", status: 200},
	{operation: "PutFunctionConcurrency", method: "PUT", path: "/2017-10-31/functions/{FunctionName}/concurrency", status: 200},
	{operation: "DeleteFunctionConcurrency", method: "DELETE", path: "/2017-10-31/functions/{FunctionName}/concurrency", status: 204},
	{operation: "GetFunctionEventInvokeConfig", method: "GET", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config", status: 200},
	{operation: "PutFunctionEventInvokeConfig", method: "PUT", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config", status: 200},
	{operation: "DeleteFunctionEventInvokeConfig", method: "DELETE", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config", status: 204},
	{operation: "GetFunctionUrlConfig", method: "GET", path: "/2021-10-31/functions/{FunctionName}/url", status: 200},
}

// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/resources.html
var apiGatewayRoutes = []route{
	{operation: "CreateApi", method: "POST", path: "/v2/apis", status: 201},
	{operation: "GetApis", method: "GET", path: "/v2/apis", status: 200},
	{operation: "ImportApi", method: "PUT", path: "/v2/apis", status: 201},
	{operation: "GetApi", method: "GET", path: "/v2/apis/{ApiId}", status: 200},
	{operation: "UpdateApi", method: "PATCH", path: "/v2/apis/{ApiId}", status: 200},
	{operation: "ReimportApi", method: "PUT", path: "/v2/apis/{ApiId}", status: 201},
	{operation: "DeleteApi", method: "DELETE", path: "/v2/apis/{ApiId}", status: 204},
	{operation: "GetAuthorizers", method: "GET", path: "/v2/apis/{ApiId}/authorizers", status: 200},
	{operation: "GetAuthorizer", method: "GET", path: "/v2/apis/{ApiId}/authorizers/{AuthorizerId}", status: 200},
	{operation: "GetIntegrations", method: "GET", path: "/v2/apis/{ApiId}/integrations", status: 200},
	{operation: "GetIntegration", method: "GET", path: "/v2/apis/{ApiId}/integrations/{IntegrationId}", status: 200},
	{operation: "GetRoutes", method: "GET", path: "/v2/apis/{ApiId}/routes", status: 200},
	{operation: "GetRoute", method: "GET", path: "/v2/apis/{ApiId}/routes/{RouteId}", status: 200},
	{operation: "GetStages", method: "GET", path: "/v2/apis/{ApiId}/stages", status: 200},
	{operation: "CreateStage", method: "POST", path: "/v2/apis/{ApiId}/stages", status: 201},
	{operation: "GetStage", method: "GET", path: "/v2/apis/{ApiId}/stages/{StageName}", status: 200},
	{operation: "UpdateStage", method: "PATCH", path: "/v2/apis/{ApiId}/stages/{StageName}", status: 200},
	{operation: "DeleteStage", method: "DELETE", path: "/v2/apis/{ApiId}/stages/{StageName}", status: 204},
	{operation: "GetDeployments", method: "GET", path: "/v2/apis/{ApiId}/deployments", status: 200},
	{operation: "GetTags", method: "GET", path: "/v2/tags/{ResourceArn}", status: 200},
	{operation: "TagResource", method: "POST", path: "/v2/tags/{ResourceArn}", status: 201},
	{operation: "UntagResource", method: "DELETE", path: "/v2/tags/{ResourceArn}", status: 204},
}
