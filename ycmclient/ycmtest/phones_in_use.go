package ycmtest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Phone is a phone that a PBX provisions ("Search Specific IP Phones").
type Phone struct {
	ID       int64  `json:"id"`
	MAC      string `json:"mac"`
	Vendor   string `json:"vendor"`
	Model    string `json:"model"`
	Template string `json:"template_name"`
	IP       string `json:"ip"` // always empty on a Cloud PBX
	Firmware string `json:"firmware"`
	Status   string `json:"assigned_ext_status"` // Registered, Unregistered
	Number   string `json:"assigned_ext_num"`    // Unassigned if none
	Name     string `json:"assigned_ext_name"`
}

// phoneSearch is "Search Specific IP Phones", since firmware 84.9. Only the list of all phones is simulated.
func (s *Server) phoneSearch(p PBX, query url.Values) pbxAnswer {
	if compareVersions(p.Version, "84.9") < 0 {
		return pbxError(10001)
	}
	if query.Get("search_value") != "" {
		return invalid("search_value", "not simulated")
	}
	w := s.fleet.world
	list := slices.Clone(p.Phones)
	if p.Phones == nil {
		list = w.phonesOf(p, w.ordinal(p.ID), w.moment(time.Now()))
	}
	return listPage(p, list, query, map[string]func(a, b Phone) int{
		"":       func(a, b Phone) int { return cmp.Compare(a.ID, b.ID) },
		"vendor": func(a, b Phone) int { return cmp.Compare(a.Vendor, b.Vendor) },
		"model":  func(a, b Phone) int { return cmp.Compare(a.Model, b.Model) },
	})
}

// phonesOf makes the desk phones of the n-th PBX, and some spare ones: two or three models of one vendor. In a fleet with
// incidents, one in 61 has phones that no firmware supports.
func (w world) phonesOf(p PBX, n, t int64) (list []Phone) {
	models := w.modelsOf(n)
	add := func(model, status, number, name string) {
		id := int64(len(list) + 1)
		list = append(list, Phone{
			ID: id, MAC: fmt.Sprintf("805ec0%06x", w.below(1<<24, aboutDevices, n, id, 7)), Vendor: models[0], Model: model,
			Template: "YSDP_" + models[0], Firmware: "66.86.0.15", Status: status, Number: number, Name: name,
		})
	}
	pick := func(k int64) string { return models[1+w.below(int64(len(models)-1), aboutDevices, n, k, 8)] }
	for k := range p.UsedExtensions {
		for _, phone := range w.deskPhones(n, k, t) {
			number := strconv.FormatInt(1000+k, 10)
			add(pick(k), [...]string{"Unregistered", "Registered"}[phone.Status], number, "Given Family "+number)
		}
	}
	for k := range w.below(3, aboutDevices, n, 9) {
		add(pick(-1-k), "Unregistered", "Unassigned", "Unassigned")
	}
	return list
}

// modelsOf returns the vendor of an office's phones, and two or three models.
func (w world) modelsOf(n int64) []string {
	if !w.healthy && w.wheel(aboutDevices, n) == 0 {
		return []string{"Cisco", "SPA504G", "SPA508G"}
	}
	maker := phoneVendors[w.below(int64(len(phoneVendors)), aboutDevices, n, 10)]
	if w.below(2, aboutDevices, n, 11) == 0 {
		maker = phoneVendors[len(phoneVendors)-1]
	}
	all := strings.Fields(maker.series[0].models)
	first := w.below(int64(len(all)), aboutDevices, n, 12)
	models := []string{maker.value}
	for i := range min(int64(len(all)), 2+w.below(2, aboutDevices, n, 13)) {
		models = append(models, all[(first+i)%int64(len(all))])
	}
	return models
}
