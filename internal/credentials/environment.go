package credentials

import (
	"fmt"
	"os"
	"time"
)

// FromEnvironment reads the connection from the variables that template.yaml
// gives to the rotation and to the follower, the same values that the custom
// resource has as properties.
func FromEnvironment() (Connection, error) {
	var c Connection
	for name, into := range map[string]*string{
		"CONNECTION_NAME": &c.Name, "SECRET_ARN": &c.SecretID, "KEY_ARN": &c.KeyARN, "AUTHORIZATION_ENDPOINT": &c.AuthorizationEndpoint,
		"CLIENT_ID_KEY": &c.ClientIDKey, "CLIENT_SECRET_KEY": &c.ClientSecretKey,
	} {
		if *into = os.Getenv(name); *into == "" {
			return c, fmt.Errorf("environment variable %s is not set: set it in the template", name)
		}
	}
	c.Scope = os.Getenv("SCOPE")
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
