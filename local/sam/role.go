package sam

import (
	"slices"
	"strconv"
	"strings"
)

const basicExecutionRole = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

// executionRole is the role of a function that names none: it may write its
// log, do what more says, and what the function's Policies say.
func executionRole(s serverless, more []any) (map[string]any, error) {
	role := map[string]any{"AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}
	if own := s.properties["AssumeRolePolicyDocument"]; own != nil {
		role["AssumeRolePolicyDocument"] = own
	}
	managed := []any{basicExecutionRole}
	inline := more
	for i, policy := range listOf(s.properties["Policies"]) {
		name := s.id + "RolePolicy" + strconv.Itoa(i)
		kind, value, err := readPolicy(policy, name, i)
		if err != nil {
			return nil, err
		}
		switch {
		case kind == inlinePolicy:
			inline = append(inline, value)
		case !slices.ContainsFunc(managed, func(known any) bool { return sameText(known, value) }):
			managed = append(managed, value)
		}
	}
	role["ManagedPolicyArns"] = managed
	if len(inline) > 0 {
		role["Policies"] = inline
	}
	for property, source := range map[string]string{"Path": "RolePath", "PermissionsBoundary": "PermissionsBoundary"} {
		if value := s.properties[source]; value != nil {
			role[property] = value
		}
	}
	tags, err := tagList(s.properties["Tags"])
	role["Tags"] = tags
	return role, err
}

func trust(service string) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Action": []any{"sts:AssumeRole"}, "Effect": "Allow", "Principal": map[string]any{"Service": []any{service}},
	}}}
}

func allow(policyName, action string, resource any) map[string]any {
	return map[string]any{"PolicyName": policyName, "PolicyDocument": map[string]any{
		"Statement": []any{map[string]any{"Action": action, "Effect": "Allow", "Resource": resource}},
	}}
}

type policyKind int

const (
	managedPolicy policyKind = iota + 1 // an ARN
	inlinePolicy                        // a name and a document
	noPolicy                            // AWS::NoValue
)

// readPolicy says what one entry of Policies is and how a role writes it.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html#sam-function-policies
func readPolicy(policy any, name string, index int) (policyKind, any, error) {
	if condition, values, isIf := branches(policy); isIf {
		return readConditionalPolicy(condition, values, name, index)
	}
	if isNoValue(policy) {
		return noPolicy, policy, nil
	}
	if isIntrinsic(policy) {
		return managedPolicy, policy, nil
	}
	switch policy := policy.(type) {
	case string:
		arn, err := managedPolicyARN(policy)
		return managedPolicy, arn, err
	case map[string]any:
		if policy["Statement"] != nil {
			return inlinePolicy, map[string]any{"PolicyName": name, "PolicyDocument": policy}, nil
		}
	}
	return 0, nil, fault("Policy at index %d in the 'Policies' property is not valid. "+
		"The local endpoint takes policy documents (Statement) and ARNs of managed policies, and no policy templates.", index)
}

func readConditionalPolicy(condition string, values [2]any, name string, index int) (policyKind, any, error) {
	yes, ifTrue, err := readPolicy(values[0], name, index)
	if err != nil {
		return 0, nil, err
	}
	no, ifFalse, err := readPolicy(values[1], name, index)
	if err != nil {
		return 0, nil, err
	}
	if yes != no && yes != noPolicy && no != noPolicy {
		return 0, nil, fault("Different policy types within the same Fn::If statement is unsupported. " +
			"Separate different policy types into different Fn::If statements")
	}
	kind := yes
	if kind == noPolicy {
		kind = no
	}
	return kind, map[string]any{"Fn::If": []any{condition, ifTrue, ifFalse}}, nil
}

func managedPolicyARN(policy string) (string, error) {
	if policy == "AWSLambdaBasicExecutionRole" {
		return basicExecutionRole, nil
	}
	if !strings.HasPrefix(policy, "arn:") {
		return "", fault("The managed policy %s is not known to the local endpoint; write its full ARN.", policy)
	}
	return policy, nil
}

func sameText(a, b any) bool {
	left, isText := a.(string)
	right, isTextToo := b.(string)
	return isText && isTextToo && left == right
}
