package ycmclient

import "reflect"

// ListFields returns the names of the JSON fields that are read of a Cloud PBX.
func ListFields() (names []string) {
	for field := range reflect.TypeFor[record]().Fields() {
		if name := field.Tag.Get("json"); name != "" {
			names = append(names, name)
		}
	}
	return names
}
