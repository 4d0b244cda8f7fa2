/** The published example files, where they are at hand: each is accepted and becomes pods, or is refused by the name of its field. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

const FOLDER = join(import.meta.dirname, "../../../../shared/data/marathon");

/** file, call, pods that come of it, or the path (or words) of the refusal. docs/compatibility.md has this table in words. */
const FILES: readonly (readonly [string, string, number | string])[] = [
  ["apps/app-with-https-readiness-checks.json", "POST /v2/apps", 1],
  ["apps/docker-nginx-ssl.json", "POST /v2/apps", 1],
  ["apps/fake-framework.json", "POST /v2/apps", 1],
  ["apps/http-server.json", "POST /v2/apps", 1],
  ["apps/large-sleep.json", "POST /v2/apps", 1],
  ["apps/persistent-volume-app.json", "POST /v2/apps", "/container/volumes(0)/persistent"],
  ["apps/pinger-container-app.json", "POST /v2/apps", "/networks"],
  ["apps/private-docker-app.json", "POST /v2/apps", "/fetch(0)"],
  ["apps/readiness-and-health-app.json", "POST /v2/apps", 1],
  ["apps/sleep-app.json", "POST /v2/apps", 1],
  ["groups/sleep-group.json", "POST /v2/groups", 2],
  ["pods/container-bridge-pod.json", "POST /v2/pods", "/containers"],
  ["pods/ephemeral-volume-pod.json", "POST /v2/pods", "/containers"],
  ["pods/ports-pod.json", "POST /v2/pods", "/containers"],
  ["pods/simple-pod.json", "POST /v2/pods", "/containers"],
  ["api-examples/app-check-http-example.json", "POST /v2/apps", 1],
  ["api-examples/app.json", "POST /v2/apps", "/secrets"],
  ["api-examples/app_list.json", "POST /v2/apps", "/id"],
  ["api-examples/apps_create.json", "PUT /v2/apps", 4],
  ["api-examples/pod.json", "POST /v2/pods", "/containers"],
  ["../first-files/basic-0.json", "POST /v2/apps", 2],
];

describe("published Marathon files", { skip: existsSync(FOLDER) ? false : `NOT RUN: ${FOLDER} is not here` }, () => {
  for (const [file, call, wanted] of FILES) {
    test(`${file}: ${typeof wanted === "number" ? `${wanted} pods` : `refused at ${wanted}`}`, async () => {
      const cluster = await Cluster.open();
      try {
        const [method = "", path = ""] = call.split(" ");
        const answer = await cluster.call(method, path, readFileSync(join(FOLDER, file), "utf8"));
        if (typeof wanted === "string") {
          assert.equal(answer.status, 422);
          assert.ok(answer.text.includes(wanted), answer.text);
          return;
        }
        assert.ok(answer.status < 300, answer.text);
        // Apps that others depend on come first; a node that obeys lets the others follow.
        await cluster.addNode();
        await cluster.converge();
        assert.equal(cluster.live().length, wanted);
      } finally {
        await cluster.close();
      }
    });
  }
});
