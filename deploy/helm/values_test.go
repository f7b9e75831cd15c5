package helm

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Mistakes in the values are reported before anything is installed. The error names the field and never shows a secret.
func TestMistakesAreRefused(t *testing.T) {
	const (
		demo    = "--set=demo=true,"
		account = "--set=config.accounts[0].name=main,"
		first   = "config.accounts[0]."
	)
	for name, test := range map[string]struct{ set, want string }{
		"no account":                 {"--set=demo=false", "config.accounts is empty"},
		"secret in the ConfigMap":    {account + first + "client_secret=hunter2", "account main: client_secret would be readable in a ConfigMap"},
		"a PBX's secret":             {account + first + "pbxs[0].client_secret=hunter2", "account main: client_secret would be readable in a ConfigMap"},
		"secret in a header":         {account + first + "http_client.http_headers.X-Key.secrets={hunter2}", "account main: http_headers.X-Key.secrets would be"},
		"private key":                {account + first + "http_client.tls_config.key=hunter2", "account main: tls_config.key would be readable"},
		"password of a proxy":        {account + first + "http_client.proxy_url=http://user:hunter2@proxy", "account main: the password in proxy_url would be"},
		"two exporters":              {demo + "replicas=2", "additional properties 'replicas' not allowed"},
		"more shards than there are": {demo + "serviceMonitor.shards=65", "serviceMonitor/shards"},
		"volume shared by two Pods":  {demo + "persistence.accessModes[0]=ReadWriteMany", "persistence/accessModes"},
		"key of no configuration":    {demo + "config.account=x", "additional properties 'account' not allowed"},
		"root":                       {demo + "podSecurityContext.runAsUser=0", "podSecurityContext/runAsUser"},
		"port out of range":          {demo + "networkPolicy.egressPorts[0]=70000", "networkPolicy/egressPorts/0"},
		"unknown protocol":           {demo + "networkPolicy.egressPorts[0].port=443,networkPolicy.egressPorts[0].protocol=udp", "networkPolicy/egressPorts/0/protocol"},

		// Helm reads numbers as floating point: 178963603908502573 would become ...560.
		"number as Client ID":            {account + first + "client_id=178963603908502573", "'/config/accounts/0/client_id': got number, want string"},
		"number as secret":               {account + first + "client_secret=178963603908502573", "'/config/accounts/0/client_secret': got number, want string"},
		"number as a PBX's Client ID":    {account + first + "pbxs[0].client_id=178963603908502573", "'/config/accounts/0/pbxs/0/client_id': got number, want string"},
		"number as a PBX's secret":       {account + first + "pbxs[0].client_secret=178963603908502573", "'/config/accounts/0/pbxs/0/client_secret': got number, want string"},
		"number as name of an account":   {"--set=" + first + "name=178963603908502573", "'/config/accounts/0/name': got number, want string"},
		"number as search":               {account + first + "search=178963603908502573", "'/config/accounts/0/search': got number, want string"},
		"number as value of a header":    {account + first + "http_client.http_headers.X-Key.values={178963603908502573}", "X-Key/values/0': got number, want string"},
		"true as Client ID":              {account + first + "client_id=true", "'/config/accounts/0/client_id': got boolean, want string"},
		"number as variable":             {demo + "extraEnv[0].name=A,extraEnv[0].value=2", "'/extraEnv/0/value': got number, want string"},
		"true as variable":               {demo + "extraEnv[0].name=A,extraEnv[0].value=true", "'/extraEnv/0/value': got boolean, want string"},
		"variable without a name":        {demo + "extraEnv[0].value=x", "'/extraEnv/0': missing property 'name'"},
		"number as flag":                 {demo + "extraArgs[0]=2", "'/extraArgs/0': got number, want string"},
		"number as name of the Secret":   {demo + "existingSecret=2", "'/existingSecret': got number, want string"},
		"number as label":                {demo + "podLabels.a=2", "'/podLabels/a': got number, want string"},
		"number as tag of the image":     {demo + "image.tag=2", "'/image/tag': got number, want string"},
		"number as size of the volume":   {demo + "persistence.size=2", "'/persistence/size': got number, want string"},
		"text as port":                   {demo + "networkPolicy.egressPorts[0]=https", "'/networkPolicy/egressPorts/0': got string, want integer or object"},
		"number as scrape interval":      {demo + "serviceMonitor.interval=30", "'/serviceMonitor/interval': got number, want string"},
		"number as security context":     {demo + "podSecurityContext=65532", "'/podSecurityContext': got number, want null or object"},
		"number as name of a web Secret": {demo + "web.existingSecret=2", "'/web/existingSecret': got number, want string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := template(t, test.set)
			if err == nil {
				t.Fatalf("helm template %s: succeeded, want an error with %q", test.set, test.want)
			}
			if !strings.Contains(out, test.want) {
				t.Errorf("helm template %s: got\n%s\nwant an error with %q", test.set, out, test.want)
			}
			if strings.Contains(out, "hunter2") || strings.Contains(out, "1789") {
				t.Errorf("helm template %s: the error shows the secret:\n%s", test.set, out)
			}
		})
	}
}

// A Client ID, a variable and names of only digits reach Kubernetes as they were written.
func TestStringsOfDigitsStayStrings(t *testing.T) {
	const digits = "178963603908502573"
	out := render(t, "--set-string=config.accounts[0].name="+digits+",config.accounts[0].client_id="+digits+
		",extraEnv[0].name=A,extraEnv[0].value="+digits+",existingSecret="+digits+",web.existingSecret="+digits+
		",persistence.storageClassName="+digits+",priorityClassName="+digits+",nameOverride="+digits)
	for _, d := range documents(t, out) {
		if d.Kind == "ConfigMap" {
			var config struct{ Accounts []map[string]any }
			if err := yaml.Unmarshal([]byte(d.Data["config.yml"]), &config); err != nil {
				t.Fatal(err)
			}
			if got := config.Accounts[0]; got["client_id"] != digits || got["name"] != digits {
				t.Errorf("config.yml: got account %v, want name and client_id %q", got, digits)
			}
		}
		eachValue(d.Spec, func(value any) {
			if _, number := value.(int); number && value == 178963603908502573 {
				t.Errorf("%s: %v is a number, want strings only in\n%v", d.Kind, value, d.Spec)
			}
		})
	}
}

// On OpenShift the platform assigns user and groups, and refuses a Pod that sets its own.
func TestOpenShiftAssignsUserAndGroups(t *testing.T) {
	for _, set := range []string{"podSecurityContext=null", "podSecurityContext.runAsUser=null,podSecurityContext.runAsGroup=null,podSecurityContext.fsGroup=null"} {
		out := render(t, "--set=demo=true,networkPolicy.enabled=true,"+set)
		for _, unwanted := range []string{"65532", "runAsUser", "runAsGroup", "fsGroup:"} {
			if strings.Contains(out, unwanted) {
				t.Errorf("with %s the manifests contain %q, want none:\n%s", set, unwanted, out)
			}
		}
		for _, want := range []string{"runAsNonRoot: true", "{port: 5353, protocol: UDP}", "{port: 5353, protocol: TCP}"} {
			if !strings.Contains(out, want) {
				t.Errorf("with %s the manifests do not contain %q:\n%s", set, want, out)
			}
		}
	}
}

// eachValue calls visit for each scalar of a document.
func eachValue(node any, visit func(any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, value := range node {
			eachValue(value, visit)
		}
	case []any:
		for _, value := range node {
			eachValue(value, visit)
		}
	default:
		visit(node)
	}
}
