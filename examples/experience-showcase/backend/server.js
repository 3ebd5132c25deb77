"use strict";

const { createServer } = require("node:http");
const { Visits } = require("./visits.js");

const visits = new Visits();

createServer((request, response) => {
  if (request.url === "/healthz") return response.end("ok\n");
  if (request.url === "/metrics") return response.end(visits.metrics());
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ visits: visits.count(request.url) }));
}).listen(8080);
