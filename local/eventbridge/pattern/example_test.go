package pattern_test

import (
	"fmt"

	"api-destination-credentials/local/eventbridge/pattern"
)

// All fields below an array have to be met by one of its elements.
func ExamplePattern_Matches() {
	orders, err := pattern.Compile(`{
		"source": [{"prefix": "shop."}],
		"detail": {"items": {"colour": ["red"], "pieces": [{"numeric": [">=", 10]}]}}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, items := range []string{
		`[{"colour": "red", "pieces": 12}]`,
		`[{"colour": "red", "pieces": 1}, {"colour": "blue", "pieces": 12}]`,
	} {
		event, err := pattern.ReadEvent([]byte(`{"source": "shop.orders", "detail": {"items": ` + items + `}}`))
		fmt.Println(orders.Matches(event), err)
	}
	// Output:
	// true <nil>
	// false <nil>
}
