package crash

import (
	"errors"
	"strings"
	"testing"
)

func explode() error { panic("no such firmware") }

// The stack shows where the fault was, however many goroutines carried it.
func TestPanicIsCarriedWithItsStack(t *testing.T) {
	err := Catch(explode)
	var crash *Crash
	if !errors.As(err, &crash) {
		t.Fatalf("got %v (%T), want a crash", err, err)
	}
	if crash.Error() != "no such firmware" {
		t.Errorf("the crash says %q, want what the panic said", crash)
	}
	if !strings.Contains(string(crash.Stack()), "crash.explode") {
		t.Errorf("the stack does not show the function that panicked:\n%s", crash.Stack())
	}
	if again := Catch(func() error { panic(crash) }); again != err { //nolint:errorlint // It must be the very same.
		t.Errorf("the crash carried further is %#v, want it as it was", again)
	}
}

func TestWhatDoesNotPanicReturnsItsError(t *testing.T) {
	refused := errors.New("refused")
	for _, want := range []error{nil, refused} {
		if got := Catch(func() error { return want }); got != want { //nolint:errorlint // It must be the very same.
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
