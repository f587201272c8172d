package dotenv_test

import (
	"testing"
	"unicode/utf8"

	"muster/manifest/dotenv"
)

// FuzzQuote: what is quoted is read back as it was.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "plain", " a b ", "it's", `"q"`, "$HOME", "l1\nl2\r\n", `\n`, "#", "a #b", "日本", "\t", "`x`"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) || len(value) > 1<<10 {
			t.Skip("values are short UTF-8 text here")
		}
		for _, r := range value {
			if r == 0 || r == '\ufeff' {
				t.Skip("not allowed in a value")
			}
		}
		env, _, _, err := dotenv.Parse("env", []byte("K="+dotenv.Quote(value)+"\n"), nil)
		if err != nil || env["K"] != value {
			t.Fatalf("%q was quoted as %s and read as %q, %v", value, dotenv.Quote(value), env["K"], err)
		}
	})
}
