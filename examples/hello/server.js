'use strict';
const http = require('http');

const name = process.env.PS || 'web';
const port = process.env.PORT || 5000;

const server = http.createServer((req, res) => {
  console.log(`${req.method} ${req.url}`);
  if (req.url === '/exit') {
    // Muster starts a replacement: try it, then look at muster events.
    res.end(`${name} (pid ${process.pid}) ends now\n`, () => process.exit(1));
    return;
  }
  if (req.url !== '/') {
    res.statusCode = 404;
    res.end('nothing here\n');
    return;
  }
  res.end(`hello from ${name}, pid ${process.pid}\n`);
});

server.listen(port, () => console.log(`listening on http://localhost:${port}`));

process.on('SIGTERM', () => {
  console.log('finishing the open requests');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
