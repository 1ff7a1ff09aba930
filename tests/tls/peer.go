// TLS by Go in front of a plain server: PORT BACKEND CERT KEY VERSION SUITE FLAGS
//
// VERSION is 12 or 13, SUITE a name of Go's list, `all`, or `any` of the usual ones, FLAGS may be `ask` for a client certificate.
package main

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	port, backend, version, suite, flags := os.Args[1], os.Args[2], os.Args[5], os.Args[6], os.Args[7]
	cert, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	check(err)
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
	if version == "12" {
		config.MaxVersion = tls.VersionTLS12
	}
	for _, known := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite == "all" || known.Name == suite {
			config.CipherSuites = append(config.CipherSuites, known.ID)
		}
	}
	if strings.Contains(flags, "ask") {
		config.ClientAuth = tls.RequireAnyClientCert
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:"+port, config)
	check(err)
	for {
		conn, err := listener.Accept()
		check(err)
		plain, err := net.Dial("tcp", "127.0.0.1:"+backend)
		check(err)
		go func() {
			io.Copy(plain, conn)
			plain.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(conn, plain)
		conn.Close()
		plain.Close()
	}
}
