package dynamodb

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
)

// tableName is the form of a table's name.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`) })

// CreateTable makes a table that can be used at once, although the answer says
// CREATING as AWS's does.
func (s *Service) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	name := aws.ToString(in.TableName)
	if !tableName().MatchString(name) {
		return nil, invalid("TableName must be at least 3 characters long and at most 255 characters long, of A-Z, a-z, 0-9, _, . and -")
	}
	if err := s.authorize(ctx, "CreateTable", name); err != nil {
		return nil, err
	}
	if err := unsupported(
		"GlobalSecondaryIndexes", in.GlobalSecondaryIndexes != nil, "LocalSecondaryIndexes", in.LocalSecondaryIndexes != nil,
		"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != "", "GlobalTableSourceArn", in.GlobalTableSourceArn != nil,
		"OnDemandThroughput", in.OnDemandThroughput != nil, "ProvisionedThroughput", in.ProvisionedThroughput != nil,
		"WarmThroughput", in.WarmThroughput != nil, "ResourcePolicy", in.ResourcePolicy != nil, "StreamSpecification", streams(in.StreamSpecification),
		"TableClass "+string(in.TableClass), !standard(in.TableClass), "BillingMode other than PAY_PER_REQUEST", in.BillingMode != types.BillingModePayPerRequest,
	); err != nil {
		return nil, err
	}
	key, err := partitionKey(in.KeySchema, in.AttributeDefinitions)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[name] != nil {
		return nil, &types.ResourceInUseException{Message: aws.String("Table already exists: " + name)}
	}
	made := &table{
		name: name, id: uuid.NewString(), created: s.config.Clock.Now(), key: key,
		protected: aws.ToBool(in.DeletionProtectionEnabled), tags: tagged(in.Tags), items: newItems(),
	}
	if err := s.encrypt(ctx, made, in.SSESpecification); err != nil {
		return nil, err
	}
	s.tables[name] = made
	description := s.describe(ctx, made)
	description.TableStatus = types.TableStatusCreating
	return &dynamodb.CreateTableOutput{TableDescription: description}, nil
}

// partitionKey is the one attribute of the key schema.
func partitionKey(schema []types.KeySchemaElement, definitions []types.AttributeDefinition) (types.AttributeDefinition, error) {
	var none types.AttributeDefinition
	if len(schema) != 1 || schema[0].KeyType != types.KeyTypeHash {
		return none, invalid("KeySchema: the local endpoint has tables with a partition key (HASH) alone; leave the sort key out")
	}
	name := aws.ToString(schema[0].AttributeName)
	if len(definitions) != 1 {
		return none, invalidValue("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	if aws.ToString(definitions[0].AttributeName) != name || name == "" {
		return none, invalidValue("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]", name, aws.ToString(definitions[0].AttributeName))
	}
	if !slices.Contains(definitions[0].AttributeType.Values(), definitions[0].AttributeType) {
		return none, invalid("AttributeType of %s is %q: give S, N or B", name, definitions[0].AttributeType)
	}
	return definitions[0], nil
}

func streams(given *types.StreamSpecification) bool {
	return given != nil && aws.ToBool(given.StreamEnabled)
}

func standard(class types.TableClass) bool { return class == "" || class == types.TableClassStandard }

// DescribeTable shows a table's settings and state. Its number of items and
// their size are those of now; in AWS they are up to six hours old.
func (s *Service) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	answer := &dynamodb.DescribeTableOutput{}
	err := s.with(ctx, "DescribeTable", in.TableName, func(t *table) error {
		answer.Table = s.describe(ctx, t)
		return nil
	})
	return answer, err
}

func (s *Service) describe(ctx context.Context, t *table) *types.TableDescription {
	t.items.expire(s.config.Clock.Now())
	status, encryption := s.encryptionState(ctx, t)
	return &types.TableDescription{
		TableName: aws.String(t.name), TableArn: aws.String(s.arn(t.name)), TableId: aws.String(t.id),
		TableStatus: status, CreationDateTime: aws.Time(t.created), SSEDescription: encryption,
		AttributeDefinitions:      []types.AttributeDefinition{t.key},
		KeySchema:                 []types.KeySchemaElement{{AttributeName: t.key.AttributeName, KeyType: types.KeyTypeHash}},
		BillingModeSummary:        &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest, LastUpdateToPayPerRequestDateTime: aws.Time(t.created)},
		ProvisionedThroughput:     &types.ProvisionedThroughputDescription{NumberOfDecreasesToday: aws.Int64(0), ReadCapacityUnits: aws.Int64(0), WriteCapacityUnits: aws.Int64(0)},
		DeletionProtectionEnabled: aws.Bool(t.protected),
		ItemCount:                 aws.Int64(int64(len(t.items.order))), TableSizeBytes: aws.Int64(int64(t.items.size)),
	}
}

// UpdateTable changes the key or the protection against deletion.
func (s *Service) UpdateTable(ctx context.Context, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	answer := &dynamodb.UpdateTableOutput{}
	err := s.with(ctx, "UpdateTable", in.TableName, func(t *table) error {
		if err := unsupported(
			"AttributeDefinitions", in.AttributeDefinitions != nil, "GlobalSecondaryIndexUpdates", in.GlobalSecondaryIndexUpdates != nil,
			"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != "", "GlobalTableWitnessUpdates", in.GlobalTableWitnessUpdates != nil,
			"MultiRegionConsistency", in.MultiRegionConsistency != "", "OnDemandThroughput", in.OnDemandThroughput != nil,
			"ProvisionedThroughput", in.ProvisionedThroughput != nil, "ReplicaUpdates", in.ReplicaUpdates != nil,
			"StreamSpecification", streams(in.StreamSpecification), "TableClass "+string(in.TableClass), !standard(in.TableClass), "WarmThroughput", in.WarmThroughput != nil,
			"BillingMode other than PAY_PER_REQUEST", in.BillingMode != "" && in.BillingMode != types.BillingModePayPerRequest,
		); err != nil {
			return err
		}
		if in.SSESpecification != nil {
			if err := s.encrypt(ctx, t, in.SSESpecification); err != nil {
				return err
			}
		}
		if in.DeletionProtectionEnabled != nil {
			t.protected = *in.DeletionProtectionEnabled
		}
		answer.TableDescription = s.describe(ctx, t)
		return nil
	})
	return answer, err
}

// DeleteTable removes a table and its items at once, although the answer says
// DELETING as AWS's does.
func (s *Service) DeleteTable(ctx context.Context, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	answer := &dynamodb.DeleteTableOutput{}
	err := s.with(ctx, "DeleteTable", in.TableName, func(t *table) error {
		if t.protected {
			return invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		}
		answer.TableDescription = s.describe(ctx, t)
		answer.TableDescription.TableStatus = types.TableStatusDeleting
		delete(s.tables, t.name)
		return nil
	})
	return answer, err
}

// ListTables lists names, at most 100 a page.
func (s *Service) ListTables(ctx context.Context, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	if err := s.authorize(ctx, "ListTables", "*"); err != nil {
		return nil, err
	}
	most := int(aws.ToInt32(in.Limit))
	if in.Limit == nil {
		most = 100
	}
	if most < 1 || most > 100 {
		return nil, invalid("Limit is %d: give 1 to 100", most)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &dynamodb.ListTablesOutput{TableNames: []string{}}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if name <= aws.ToString(in.ExclusiveStartTableName) {
			continue
		}
		if len(answer.TableNames) == most {
			answer.LastEvaluatedTableName = aws.String(answer.TableNames[most-1])
			break
		}
		answer.TableNames = append(answer.TableNames, name)
	}
	return answer, nil
}
