package schedule_test

import (
	"fmt"
	"time"

	"api-destination-credentials/local/eventbridge/schedule"
)

func ExampleParse() {
	friday := time.Date(2026, time.November, 20, 18, 30, 0, 0, time.UTC)
	for _, expression := range []string{"rate(15 minutes)", "cron(0 8 ? * MON-FRI *)", "cron(0 8 * * MON-FRI *)"} {
		runs, ok := schedule.Parse(expression, friday)
		if !ok {
			fmt.Println(expression, "is not valid: one of the two days has to be a question mark")
			continue
		}
		fmt.Println(expression, "is due", runs.Next(friday).Format("Mon 15:04"))
	}
	// Output:
	// rate(15 minutes) is due Fri 18:45
	// cron(0 8 ? * MON-FRI *) is due Mon 08:00
	// cron(0 8 * * MON-FRI *) is not valid: one of the two days has to be a question mark
}
