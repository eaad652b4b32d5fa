package soak

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ledger is what the bus accepted. It knows nothing of how events travel.
type ledger struct {
	accepted map[string]bool // by event id
	refused  int
}

func newLedger() *ledger { return &ledger{accepted: map[string]bool{}} }

// arrivals are what the receiver took: the items of its table, and the lines of
// its log, which takes none while the key is disabled.
type arrivals struct {
	kept       map[string]time.Time // when, by event id
	acts       map[string]int       // log lines that call it new, by event id
	duplicates int
}

// Account is how the two sides compare.
type Account struct {
	Accepted   int
	Refused    int // by the bus, which the producer was told
	Lost       []string
	Twice      []string      // acted on more than once
	Strangers  []string      // arrived, but were never put
	Duplicates int           // recognized as such
	LongestGap time.Duration // between two arrivals while there was load
}

func (l *ledger) check(found arrivals) Account {
	account := Account{Accepted: len(l.accepted), Refused: l.refused, Duplicates: found.duplicates}
	for id := range l.accepted {
		if found.kept[id].IsZero() {
			account.Lost = append(account.Lost, id)
		}
	}
	for id, times := range found.acts {
		if times > 1 {
			account.Twice = append(account.Twice, id)
		}
	}
	for id := range found.kept {
		if !l.accepted[id] {
			account.Strangers = append(account.Strangers, id)
		}
	}
	times := slices.SortedFunc(maps.Values(found.kept), time.Time.Compare)
	for i := 1; i < len(times); i++ {
		account.LongestGap = max(account.LongestGap, times[i].Sub(times[i-1]))
	}
	return account
}

func (l *ledger) missing(found arrivals) int {
	missing := 0
	for id := range l.accepted {
		if found.kept[id].IsZero() {
			missing++
		}
	}
	return missing
}

func (s Soak) arrivals(ctx context.Context) (arrivals, error) {
	found := arrivals{kept: map[string]time.Time{}, acts: map[string]int{}}
	items := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(s.AWS), &dynamodb.ScanInput{TableName: aws.String(s.Application["InboxTable"])})
	for items.HasMorePages() {
		page, err := items.NextPage(ctx)
		if err != nil {
			return found, err
		}
		for _, item := range page.Items {
			id, at := item["id"].(*types.AttributeValueMemberS), item["receivedAt"].(*types.AttributeValueMemberS)
			if found.kept[id.Value], err = time.Parse(time.RFC3339, at.Value); err != nil {
				return found, err
			}
		}
	}
	lines := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(s.AWS), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(s.Application["ReceiverLogGroup"]), FilterPattern: aws.String(`"event accepted"`),
	})
	for lines.HasMorePages() {
		page, err := lines.NextPage(ctx)
		if err != nil {
			return found, err
		}
		for _, event := range page.Events {
			var line struct {
				EventID   string `json:"eventId"`
				Duplicate bool
			}
			if err := json.Unmarshal([]byte(aws.ToString(event.Message)), &line); err != nil {
				return found, err
			}
			if line.Duplicate {
				found.duplicates++
			} else {
				found.acts[line.EventID]++
			}
		}
	}
	return found, nil
}
