"use strict";

const assert = require("node:assert");
const { test } = require("node:test");
const { Visits } = require("../visits.js");

test("each page has its own number", () => {
  const visits = new Visits();
  assert.deepStrictEqual([visits.count("/"), visits.count("/"), visits.count("/a")], [1, 2, 1]);
});

test("Prometheus reads the numbers", () => {
  const visits = new Visits();
  visits.count("/");
  assert.match(visits.metrics(), /visits_total\{page="\/"\} 1\n/);
});
