package credentials

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// FromEnvironment reads the connection from the variables that template.yaml
// gives to the rotation and to the follower, the same values that the custom
// resource has as properties.
func FromEnvironment() (Connection, error) {
	c := Connection{
		Name:                  os.Getenv("CONNECTION_NAME"),
		SecretID:              os.Getenv("SECRET_ARN"),
		KeyARN:                os.Getenv("KEY_ARN"),
		AuthorizationEndpoint: os.Getenv("AUTHORIZATION_ENDPOINT"),
		Scope:                 os.Getenv("SCOPE"),
		Audience:              os.Getenv("AUDIENCE"),
		ClientIDKey:           os.Getenv("CLIENT_ID_KEY"),
		ClientSecretKey:       os.Getenv("CLIENT_SECRET_KEY"),
	}
	var missing []string
	for _, name := range []string{"CONNECTION_NAME", "SECRET_ARN", "KEY_ARN", "AUTHORIZATION_ENDPOINT", "CLIENT_ID_KEY", "CLIENT_SECRET_KEY"} {
		if os.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return c, fmt.Errorf("the environment lacks %s: set it in the template, or with --env-vars for sam local invoke", strings.Join(missing, ", "))
	}
	return c, nil
}

// GraceFromEnvironment reads how long an old client secret is kept.
func GraceFromEnvironment() (time.Duration, error) {
	grace, err := time.ParseDuration(os.Getenv("GRACE_TIME"))
	if err != nil || grace < 0 {
		return 0, fmt.Errorf("environment variable GRACE_TIME is %q: set it to a duration such as 120m", os.Getenv("GRACE_TIME"))
	}
	return grace, nil
}
