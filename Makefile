# make          builds ./muster
# make demo     builds it, runs examples/hello under it, says what to try
# make test     all tests
# make check    what a reviewer wants to know besides
# make bench    the numbers, measured here and now
# make install  puts muster into $(PREFIX)/bin

GO         ?= go
PREFIX     ?= /usr/local
VERSION    ?= $(shell git describe --tags --dirty 2>/dev/null)
LDFLAGS    := -s -w $(if $(VERSION),-X muster.Version=$(VERSION))
BUILD      := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)"

# Pinned: a newer one may ask for a newer Go, or find something new overnight.
STATICCHECK := bin/staticcheck-v0.8.2/staticcheck

.PHONY: build demo demo-stop test check vet format static arch docs race bench install clean

build:
	$(BUILD) -o muster ./cmd/muster

demo: build
	@scripts/demo start

demo-stop:
	@scripts/demo stop

test:
	scripts/needs
	$(GO) test -timeout 25m ./...

check: vet format static arch docs race

vet:
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...

format:
	scripts/format

static: $(STATICCHECK)
	$(STATICCHECK) ./...

$(STATICCHECK):
	GOBIN=$(CURDIR)/$(dir $@) $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2

arch:
	$(GO) test ./archtest

docs:
	$(GO) test ./cli -run Docs $(if $(UPDATE),-update)
	$(GO) test . -run TestDocs

race:
	$(GO) test -race -short -timeout 25m ./...

bench: build
	$(GO) run ./bench $(BENCH)

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 muster $(DESTDIR)$(PREFIX)/bin/muster

clean:
	rm -rf muster bin
