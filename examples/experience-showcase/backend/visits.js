"use strict";

// How often each page was visited.
class Visits {
  #pages = new Map();

  count(page) {
    const visits = (this.#pages.get(page) ?? 0) + 1;
    this.#pages.set(page, visits);
    return visits;
  }

  // As Prometheus reads it.
  metrics() {
    const lines = [...this.#pages].map(([page, visits]) => `visits_total{page=${JSON.stringify(page)}} ${visits}\n`);
    return `# TYPE visits_total counter\n${lines.join("")}`;
  }
}

module.exports = { Visits };
