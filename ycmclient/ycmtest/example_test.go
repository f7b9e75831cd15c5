package ycmtest_test

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A YCM in memory whose second login fails.
func Example() {
	s := ycmtest.New(ycmtest.Options{PBXs: 1000})
	defer s.Close()
	s.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Skip: 1, Effect: ycmtest.HTML(502)})

	for range 2 {
		response, err := s.Client().PostForm("https://ycm.example.com/dm/open_api/oauth/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"demo-client-id"}, "client_secret": {"demo-client-secret"},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		var token struct {
			ExpiresIn int `json:"expires_in"`
		}
		err = json.NewDecoder(response.Body).Decode(&token)
		response.Body.Close()
		fmt.Println(response.Status, token.ExpiresIn > 0, err)
	}
	fmt.Println(s.Len(), s.Count(ycmtest.Token), s.Violations())
	// Output:
	// 200 OK true <nil>
	// 502 Bad Gateway false invalid character '<' looking for beginning of value
	// 1000 2 []
}
