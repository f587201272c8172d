'use strict';
const http = require('http');

// systemd's way: LISTEN_FDS sockets, from descriptor 3 on, if LISTEN_PID is us.
const passed = process.env.LISTEN_FDS > 0 && Number(process.env.LISTEN_PID) === process.pid;
const where = passed ? { fd: 3 } : { port: process.env.PORT || 5080 };

const server = http.createServer((req, res) => {
  res.setHeader('Connection', 'close');
  res.end(`${process.env.PS} (pid ${process.pid})\n`);
});

server.listen(where, () => console.log(`accepting on ${passed ? 'a socket Muster keeps' : 'my own port'}`));

process.on('SIGTERM', () => server.close(() => process.exit(0)));
