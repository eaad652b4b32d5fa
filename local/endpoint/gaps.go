package endpoint

// gap is one place in which the endpoint is known to differ from AWS other than
// by an error that names what is missing.
type gap struct{ where, what string }

// gaps are part of the reference; whoever closes one takes it out here.
var gaps = []gap{
	{"Signatures", `not verified; the access key id alone says who calls. Any Region in a signature is answered`},
	{"AWS CLI v1 and SQS", "the client itself ignores `AWS_ENDPOINT_URL` for SQS: give `--endpoint-url`"},
	{"CloudFormation", "a request that starts a stack operation waits up to two seconds for its end, so that the clients' slow waiters need not. Stack policies, imports, drift, nested stacks, SSM parameters, `CreationPolicy`, `UpdatePolicy` and snapshots are refused; stack tags do not reach the resources"},
	{"CloudFormation and connections", "creating or updating `AWS::Events::Connection` does not wait for AUTHORIZED (AWS documents nothing); the custom resource does"},
	{"CloudFormation and secrets", `a deleted stack's secret goes at once`},
	{"SAM", "`AWS::Serverless::Function` and `AWS::Serverless::HttpApi` only; compared with the published translator's output for the repository's template"},
	{"IAM", `roles with inline policies and AWSLambdaBasicExecutionRole; no users, groups, boundaries, session policies or organization policies. The service-linked role of API destinations is written after AWS's description`},
	{"KMS", `grants are kept and allow nothing; no imported material, multi-Region keys; asymmetric and HMAC keys can be described and do nothing`},
	{"Secrets Manager", "a failed rotation is tried five times, after 1, 2, 4 and 8 minutes (AWS documents \"several times\"); schedules are `rate(…)` or days, no `cron(…)`; no CloudTrail events; no replication; lists filter by name only"},
	{"EventBridge buses and rules", `no bus policies or cross-account delivery; targets are API destinations, functions and queues. Events on a bus with a key need the key at each step but are not kept encrypted in memory`},
	{"EventBridge connections", `OAuth sends client id and secret in the form body (AWS documents no wire format); an endpoint that cannot be reached is tried three times, a second apart, before DEAUTHORIZED; while a connection is being authorized an update answers ConcurrentModificationException. No private connectivity`},
	{"EventBridge delivery", `back-off doubles from one second to fifteen minutes with jitter (AWS documents "exponential, with jitter")`},
	{"Cognito", `machine-to-machine clients only; no users, triggers or custom domains; one signing key a pool`},
	{"DynamoDB", `tables with a partition key alone, on demand; no indexes, streams, transactions or PartiQL; items past their time to live go when they are next looked at. What DynamoDB does by its grant is done as the caller; a table is inaccessible as soon as its key is, not after days`},
	{"HTTP APIs", `imported definitions with JWT authorizers and Lambda integrations; no CORS, no throttling, no access logs`},
	{"Lambda", "`provided.al2023` and `provided.al2`; no versions, aliases, layers, VPC or function URLs. Memory is not limited. A function has to be built for this machine"},
	{"SQS", `standard queues; the JSON protocol only`},
	{"CloudWatch Logs", `filter patterns of terms, phrases and JSON; log lines are not kept encrypted, but a key that cannot be used stops new ones`},
	{"CloudWatch", `no metric math, composite or anomaly alarms, no SNS: an alarm's action stands in its history. Metrics of a log line count for the minute in which it arrives. One-minute data are kept for 15 days. The evaluation range is two periods longer than what is evaluated (AWS gives an example only)`},
	{"S3", `deployment artifacts: no versions, policies or encryption; checksums are not verified`},
	{"Virtual time", `function time-outs run in real time: a process reads the machine's clock`},
}
