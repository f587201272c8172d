'use strict';
const http = require('http');

http
  .createServer((req, res) => {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ process: process.env.PS, time: new Date() }) + '\n');
  })
  .listen(process.env.PORT || 5100, '127.0.0.1', () => console.log('api is listening'));
