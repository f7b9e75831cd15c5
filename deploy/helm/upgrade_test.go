package helm

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mutable are the fields of a StatefulSet that Kubernetes allows to change. An upgrade that changes another is refused.
var mutable = []string{"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}

// Changing between demo and accounts, and every value that is not listed in the README, is an upgrade that Kubernetes accepts.
func TestUpgradesChangeNoImmutableField(t *testing.T) {
	demo, account := "--set=demo=true", "--values=testdata/fleet.values.yml"
	immutable := func(args ...string) map[string]any {
		t.Helper()
		for _, d := range documents(t, render(t, args...)) {
			if d.Kind == "StatefulSet" {
				spec := maps.Clone(d.Spec.(map[string]any))
				maps.DeleteFunc(spec, func(field string, _ any) bool {
					return strings.Contains(" "+strings.Join(mutable, " ")+" ", " "+field+" ")
				})
				return spec
			}
		}
		t.Fatalf("helm template %s: no StatefulSet", args)
		return nil
	}
	want := immutable(account)
	if want["serviceName"] == nil || want["selector"] == nil {
		t.Fatalf("the StatefulSet has the immutable fields %v, want serviceName and selector among them", want)
	}
	for _, upgrade := range [][]string{
		{demo},
		{account, "--set=persistence.enabled=false"},
		{account, "--set=persistence.size=5Gi"},
		{account, "--set=persistence.retain=false"},
		{account, "--set=persistence.storageClassName=fast"},
		{account, "--set=persistence.accessModes={ReadWriteOncePod}"},
		{account, "--set=podSecurityContext=null,podLabels.team=voice,podAnnotations.a=b,service.port=9100,image.tag=9.9.9"},
		{"--values=testdata/everything.values.yml", "--set=fullnameOverride=,nameOverride="},
	} {
		if diff := cmp.Diff(want, immutable(upgrade...)); diff != "" {
			t.Errorf("an upgrade from %s to %s changes immutable fields of the StatefulSet (-before +after):\n%s", account, upgrade, diff)
		}
	}
}

// The volume is kept while it is not used, and belongs to the same claim afterwards; its size can grow.
func TestTheClaimIsStable(t *testing.T) {
	claim := func(args ...string) *document {
		t.Helper()
		for _, d := range documents(t, render(t, append(args, "--values=testdata/fleet.values.yml")...)) {
			if d.Kind == "PersistentVolumeClaim" {
				return &d
			}
		}
		return nil
	}
	before, after := claim(), claim("--set=persistence.size=5Gi")
	if before == nil || after == nil {
		t.Fatal("an exporter with an account has no PersistentVolumeClaim")
	}
	if got := before.Metadata.Annotations["helm.sh/resource-policy"]; got != "keep" {
		t.Errorf("by default the claim has the resource policy %q, want keep: demo=true would delete the volume", got)
	}
	if before.Metadata.Name != after.Metadata.Name {
		t.Errorf("a larger size is another claim: %s, before %s", after.Metadata.Name, before.Metadata.Name)
	}
	delete(before.Spec.(map[string]any), "resources") // may grow
	delete(after.Spec.(map[string]any), "resources")
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("a larger size changes immutable fields of the claim (-before +after):\n%s", diff)
	}
	if d := claim("--set=persistence.retain=false"); d == nil || d.Metadata.Annotations["helm.sh/resource-policy"] != "" {
		t.Errorf("with persistence.retain=false: got the claim %v, want one without a resource policy", d)
	}
	for _, without := range []string{"demo=true", "persistence.enabled=false"} {
		if d := claim("--set=" + without); d != nil {
			t.Errorf("with %s: got the claim %v, want none", without, d)
		}
	}
}
