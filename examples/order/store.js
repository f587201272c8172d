'use strict';
// A key-value store over HTTP that takes a moment to be ready.
const http = require('http');

const values = new Map();
let warm = false;
setTimeout(() => { warm = true; console.log('store is warm'); }, 500);

http
  .createServer((req, res) => {
    if (req.url === '/health') {
      res.statusCode = warm ? 200 : 503;
      return res.end(warm ? 'ok\n' : 'warming up\n');
    }
    if (req.method !== 'PUT') {
      res.statusCode = values.has(req.url) ? 200 : 404;
      return res.end(values.get(req.url));
    }
    let body = '';
    req.on('data', (part) => { body += part; });
    req.on('end', () => { values.set(req.url, body); res.end('stored\n'); });
  })
  .listen(process.env.PORT, '127.0.0.1');
