'use strict';
const http = require('http');

http
  .createServer(async (req, res) => {
    try {
      const answer = await fetch(`${process.env.STORE}/greeting`);
      res.statusCode = answer.status;
      res.end(await answer.text());
    } catch (err) {
      res.statusCode = 502;
      res.end(`the store does not answer: ${err.message}\n`);
    }
  })
  .listen(process.env.PORT, '127.0.0.1', () => console.log(`web is listening on ${process.env.PORT}`));
