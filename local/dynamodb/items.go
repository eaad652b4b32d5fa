package dynamodb

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"api-destination-credentials/local/envelope"
	"api-destination-credentials/local/wire"
)

// item is what a table holds under one key.
type item = map[string]types.AttributeValue

// items are kept as text, encrypted where the table has a key: that is a
// quarter of the memory that maps of attributes take.
type items struct {
	records map[string]record // by identity of the partition key
	order   []string          // identities, in the order in which they are read
	size    int               // of all items, in bytes as AWS counts them
	soonest int64             // no item's time is over before; 0 where none ends
}

type record struct {
	data []byte
	size int   // in bytes as AWS counts them
	ends int64 // second since 1970; 0 for never
}

func newItems() items { return items{records: map[string]record{}} }

// get returns nil where there is no such item.
func (i *items) get(tableKey []byte, id string) (item, error) {
	found, ok := i.records[id]
	if !ok {
		return nil, nil
	}
	return found.open(tableKey)
}

func (i *items) put(tableKey []byte, id string, one item, ends int64) error {
	made := record{size: sizeOf(one), ends: ends}
	if err := made.seal(tableKey, one); err != nil {
		return err
	}
	i.drop(id)
	at, _ := slices.BinarySearch(i.order, id)
	i.order = slices.Insert(i.order, at, id)
	i.records[id] = made
	i.size += made.size
	i.remember(ends)
	return nil
}

func (i *items) drop(id string) {
	gone, ok := i.records[id]
	if !ok {
		return
	}
	at, _ := slices.BinarySearch(i.order, id)
	i.order = slices.Delete(i.order, at, at+1)
	delete(i.records, id)
	i.size -= gone.size
}

// expire removes what is over. AWS does so within a few days; until then such
// items are read, and stop conditional writes, like any other.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func (i *items) expire(now time.Time) {
	if i.soonest == 0 || now.Unix() <= i.soonest {
		return
	}
	i.soonest = 0
	i.order = slices.DeleteFunc(i.order, func(id string) bool {
		one := i.records[id]
		if one.ends == 0 || one.ends >= now.Unix() {
			i.remember(one.ends)
			return false
		}
		delete(i.records, id)
		i.size -= one.size
		return true
	})
}

func (i *items) remember(ends int64) {
	if ends != 0 && (i.soonest == 0 || ends < i.soonest) {
		i.soonest = ends
	}
}

// restamp works out anew when each item ends.
func (i *items) restamp(tableKey []byte, ends func(item) int64) error {
	i.soonest = 0
	for id, one := range i.records {
		held, err := one.open(tableKey)
		if err != nil {
			return err
		}
		one.ends = ends(held)
		i.records[id] = one
		i.remember(one.ends)
	}
	return nil
}

// reencrypt moves every item to another table key.
func (i *items) reencrypt(from, to []byte) error {
	for id, one := range i.records {
		held, err := one.open(from)
		if err != nil {
			return err
		}
		if err := one.seal(to, held); err != nil {
			return err
		}
		i.records[id] = one
	}
	return nil
}

func (r *record) seal(tableKey []byte, one item) (err error) {
	if r.data, err = json.Marshal(wire.Encode(one)); err != nil || tableKey == nil {
		return err
	}
	r.data, err = envelope.Seal(tableKey, r.data, nil)
	return err
}

func (r record) open(tableKey []byte) (item, error) {
	text := r.data
	if tableKey != nil {
		var err error
		if text, err = envelope.Open(tableKey, text, nil); err != nil {
			return nil, err
		}
	}
	var members any // numbers are text, so that none loses digits
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	one := item{}
	return one, wire.Decode(members, &one)
}
