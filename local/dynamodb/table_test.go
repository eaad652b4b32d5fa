package dynamodb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

var table = aws.String("inbox")

func TestATableIsDescribedAsItWasMade(t *testing.T) {
	w := newWorld(t)
	made, err := w.CreateTable(t.Context(), inbox(nil))
	if must(t, made, err).TableDescription.TableStatus != types.TableStatusCreating {
		t.Errorf("the answer says %s, want CREATING", made.TableDescription.TableStatus)
	}
	must(t, 0, w.put(item{"id": text("e-1"), "n": num("7")}))
	described, err := w.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/inbox")})
	got := must(t, described, err).Table
	got.TableId, got.BillingModeSummary, got.ProvisionedThroughput = nil, nil, nil
	same(t, &types.TableDescription{
		TableName: table, TableArn: aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/inbox"), TableStatus: types.TableStatusActive,
		CreationDateTime: aws.Time(w.clock.Now()), KeySchema: inbox(nil).KeySchema, AttributeDefinitions: inbox(nil).AttributeDefinitions,
		DeletionProtectionEnabled: aws.Bool(false), ItemCount: aws.Int64(1), TableSizeBytes: aws.Int64(2 + 3 + 1 + 1),
	}, got)
}

func TestATableIsMadeOnlyAsTheEndpointCanKeepIt(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"a short name": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "ValidationException: TableName must be at least 3"},
		"an odd name":  {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a/bc") }, "ValidationException: TableName must"},
		"provisioned":  {func(in *dynamodb.CreateTableInput) { in.BillingMode = "" }, "BillingMode other than PAY_PER_REQUEST: the local endpoint does not support it"},
		"a stream": {func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true)}
		}, "StreamSpecification: the local"},
		"an index":           {func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{}} }, "GlobalSecondaryIndexes: the local"},
		"another class":      {func(in *dynamodb.CreateTableInput) { in.TableClass = types.TableClassStandardInfrequentAccess }, "TableClass STANDARD_INFREQUENT_ACCESS"},
		"no key":             {func(in *dynamodb.CreateTableInput) { in.KeySchema = nil }, "KeySchema: the local"},
		"no definitions":     {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = nil }, "does not exactly match"},
		"another definition": {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeName = aws.String("x") }, "Keys: [id], AttributeDefinitions: [x]"},
		"an unknown type":    {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeType = "L" }, `AttributeType of id is "L"`},
		"a key without SSE": {func(in *dynamodb.CreateTableInput) {
			in.SSESpecification = &types.SSESpecification{KMSMasterKeyId: aws.String("k")}
		}, "when SSE is enabled"},
		"the same name again": {nil, "ResourceInUseException: Table already exists: inbox"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.change == nil {
				w.create(nil)
			}
			_, err := w.CreateTable(t.Context(), inbox(test.change))
			wantRefusal(t, err, test.want)
		})
	}
}

func TestAProtectedTableIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *dynamodb.CreateTableInput) { in.DeletionProtectionEnabled = aws.Bool(true) })
	_, err := w.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	wantRefusal(t, err, "ValidationException: Resource cannot be deleted as it is currently protected against deletion")
	_, err = w.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(false)})
	must(t, 0, err)
	_, err = w.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	must(t, 0, err)
	_, err = w.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
	wantRefusal(t, err, "ResourceNotFoundException: Requested resource not found: Table: inbox not found")
	wantRefusal(t, w.put(item{"id": text("e-1")}), "ResourceNotFoundException: Requested resource not found")
}

func TestTablesAreListedInPages(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.create(func(in *dynamodb.CreateTableInput) { in.TableName = aws.String(fmt.Sprintf("table-%d", i)) })
	}
	var names []string
	in := &dynamodb.ListTablesInput{Limit: aws.Int32(2)}
	for {
		out, err := w.ListTables(t.Context(), in)
		names = append(names, must(t, out, err).TableNames...)
		if out.LastEvaluatedTableName == nil {
			break
		}
		in.ExclusiveStartTableName = out.LastEvaluatedTableName
	}
	same(t, []string{"table-0", "table-1", "table-2", "table-3", "table-4"}, names)
}

func TestAnEncryptedTableIsUsedWithItsKeyOnly(t *testing.T) {
	w := newWorld(t)
	w.create(encrypted)
	same(t, []string{
		"DescribeKey by way of dynamodb.us-east-1.amazonaws.com alias/one",
		"CreateGrant by way of dynamodb.us-east-1.amazonaws.com dynamodb.us-east-1.amazonaws.com",
		"Encrypt by way of dynamodb.us-east-1.amazonaws.com map[aws:dynamodb:subscriberId:123456789012 aws:dynamodb:tableName:inbox]",
		"ReEncrypt by way of dynamodb.us-east-1.amazonaws.com map[aws:dynamodb:subscriberId:123456789012 aws:dynamodb:tableName:inbox]",
		"GenerateDataKey by way of dynamodb.us-east-1.amazonaws.com map[aws:dynamodb:subscriberId:123456789012 aws:dynamodb:tableName:inbox]",
	}, w.keys.used[:5])
	must(t, 0, w.put(item{"id": text("e-1")}))
	state := func() *types.TableDescription {
		out, err := w.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
		return must(t, out, err).Table
	}
	if got := state(); got.TableStatus != types.TableStatusActive || *got.SSEDescription.KMSMasterKeyArn != keyARN {
		t.Errorf("got %s with %v", got.TableStatus, *got.SSEDescription.KMSMasterKeyArn)
	}

	w.keys.refused = "Decrypt"
	const denied = "AccessDeniedException: KMS key access denied error: AccessDeniedException: not authorized to perform: kms:Decrypt"
	wantRefusal(t, w.put(item{"id": text("e-2")}), denied)
	_, err := w.get("e-1")
	wantRefusal(t, err, denied)
	_, err = w.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
	wantRefusal(t, err, denied)

	w.keys.refused, w.keys.state = "", kmstypes.KeyStateDisabled
	wantRefusal(t, w.put(item{"id": text("e-2")}), "KMS key access denied error: DisabledException")
	since := w.clock.Now()
	state()
	w.clock.Advance(time.Hour)
	if got := state(); got.TableStatus != types.TableStatusInaccessibleEncryptionCredentials || !got.SSEDescription.InaccessibleEncryptionDateTime.Equal(since) {
		t.Errorf("got %s since %v, want INACCESSIBLE_ENCRYPTION_CREDENTIALS since %v", got.TableStatus, got.SSEDescription.InaccessibleEncryptionDateTime, since)
	}

	w.keys.state = kmstypes.KeyStateEnabled
	if got := state(); got.TableStatus != types.TableStatusActive {
		t.Errorf("got %s, want ACTIVE again", got.TableStatus)
	}
	one, err := w.get("e-1")
	same(t, item{"id": text("e-1")}, must(t, one, err))
	two, err := w.get("e-2")
	if must(t, two, err) != nil {
		t.Error("an item that was refused is there")
	}
}

func TestItemsMoveToAnotherKey(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	must(t, 0, w.put(item{"id": text("e-1")}))
	for _, step := range []struct {
		to   types.SSESpecification
		want string
	}{
		{*inbox(encrypted).SSESpecification, ""},
		{*inbox(encrypted).SSESpecification, "Table is already encrypted by given KMSMasterKeyId"},
		{types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("arn:another")}, ""},
		{types.SSESpecification{Enabled: aws.Bool(false)}, ""},
	} {
		_, err := w.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table, SSESpecification: &step.to})
		if step.want != "" {
			wantRefusal(t, err, step.want)
			continue
		}
		must(t, 0, err)
		one, err := w.get("e-1")
		same(t, item{"id": text("e-1")}, must(t, one, err))
	}
	w.keys.refused = "Decrypt" // the last step took the key away
	one, err := w.get("e-1")
	same(t, item{"id": text("e-1")}, must(t, one, err))
}

func TestEveryOperationAsksForItsOwnPermission(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	key := item{"id": text("e-1")}
	off := &types.TimeToLiveSpecification{Enabled: aws.Bool(true), AttributeName: aws.String("x")}
	for action, do := range map[string]func() error{
		"CreateTable": func() error { _, err := w.CreateTable(t.Context(), inbox(nil)); return err },
		"DescribeTable": func() error {
			_, err := w.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
			return err
		},
		"UpdateTable": func() error {
			_, err := w.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table})
			return err
		},
		"DeleteTable": func() error {
			_, err := w.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
			return err
		},
		"ListTables": func() error { _, err := w.ListTables(t.Context(), &dynamodb.ListTablesInput{}); return err },
		"PutItem":    func() error { return w.put(key) },
		"GetItem":    func() error { _, err := w.get("e-1"); return err },
		"DeleteItem": func() error {
			_, err := w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key})
			return err
		},
		"Scan":  func() error { _, err := w.Scan(t.Context(), &dynamodb.ScanInput{TableName: table}); return err },
		"Query": func() error { _, err := w.Query(t.Context(), &dynamodb.QueryInput{TableName: table}); return err },
		"UpdateTimeToLive": func() error {
			_, err := w.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: off})
			return err
		},
		"DescribeTimeToLive": func() error {
			_, err := w.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: table})
			return err
		},
		"UpdateContinuousBackups": func() error {
			_, err := w.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: table})
			return err
		},
		"DescribeContinuousBackups": func() error {
			_, err := w.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: table})
			return err
		},
		"TagResource": func() error {
			_, err := w.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: table})
			return err
		},
		"UntagResource": func() error {
			_, err := w.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: table})
			return err
		},
		"ListTagsOfResource": func() error {
			_, err := w.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: table})
			return err
		},
	} {
		w.refused, w.asked = "dynamodb:"+action, nil
		if got := refusal(do()); got != "AccessDeniedException: not authorized" {
			t.Errorf("%s: got %s", action, got)
		}
		wanted := "arn:aws:dynamodb:us-east-1:123456789012:table/inbox"
		if action == "ListTables" {
			wanted = "arn:aws:dynamodb:us-east-1:123456789012:table/*"
		}
		if len(w.asked) != 1 || w.asked[0].Resource != wanted {
			t.Errorf("%s asked for %+v, want one request for %s", action, w.asked, wanted)
		}
	}
}

func TestTagsComeAndGo(t *testing.T) {
	w := newWorld(t)
	w.create(func(in *dynamodb.CreateTableInput) {
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	})
	arn := aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/inbox")
	_, err := w.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}})
	must(t, 0, err)
	_, err = w.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	must(t, 0, err)
	listed, err := w.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	same(t, []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}, must(t, listed, err).Tags)
}

func TestPointInTimeRecoveryIsASetting(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	began := w.clock.Now()
	set := func(on bool) *types.PointInTimeRecoveryDescription {
		out, err := w.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
			TableName: table, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(on)},
		})
		return must(t, out, err).ContinuousBackupsDescription.PointInTimeRecoveryDescription
	}
	set(true)
	w.clock.Advance(time.Hour)
	same(t, &types.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusEnabled, RecoveryPeriodInDays: aws.Int32(35),
		EarliestRestorableDateTime: aws.Time(began), LatestRestorableDateTime: aws.Time(began.Add(55 * time.Minute)),
	}, set(true))
	same(t, &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled}, set(false))
}

func TestItemsEndWithTheirTime(t *testing.T) {
	w := newWorld(t)
	w.create(nil)
	at := func(in time.Duration) types.AttributeValue { return num(fmt.Sprint(w.clock.Now().Add(in).Unix())) }
	for id, end := range map[string]types.AttributeValue{
		"soon": at(time.Minute), "late": at(time.Hour), "never": text("x"), "no number": num("1.5"), "long ago": at(-6 * 365 * 24 * time.Hour),
	} {
		must(t, 0, w.put(item{"id": text(id), "ends": end}))
	}
	left := func() []string {
		out, err := w.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
		var ids []string
		for _, one := range must(t, out, err).Items {
			ids = append(ids, one["id"].(*types.AttributeValueMemberS).Value)
		}
		slices.Sort(ids)
		return ids
	}
	w.clock.Advance(2 * time.Minute)
	same(t, []string{"late", "long ago", "never", "no number", "soon"}, left()) // without a time to live nothing ends
	set := func(on bool, name string) error {
		_, err := w.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(on), AttributeName: aws.String(name)},
		})
		return err
	}
	wantRefusal(t, set(false, "ends"), "ValidationException: TimeToLive is already disabled")
	must(t, 0, set(true, "ends"))
	wantRefusal(t, set(true, "ends"), "ValidationException: TimeToLive is already enabled")
	wantRefusal(t, set(true, "other"), "TimeToLive is active on a different AttributeName: current AttributeName is ends")
	same(t, []string{"late", "long ago", "never", "no number"}, left())

	// The place of an item that has ended is free.
	must(t, 0, w.put(item{"id": text("soon"), "ends": at(time.Minute)}))
	w.clock.Advance(2 * time.Minute)
	_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item{"id": text("soon")}, ConditionExpression: aws.String("attribute_not_exists(id)")})
	must(t, 0, err)
	w.clock.Advance(2 * time.Hour)
	same(t, []string{"long ago", "never", "no number", "soon"}, left())
	described, err := w.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: table})
	same(t, &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusEnabled, AttributeName: aws.String("ends")}, must(t, described, err).TimeToLiveDescription)
}
