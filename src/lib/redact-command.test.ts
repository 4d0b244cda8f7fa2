import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { redactText } from "./redact.ts";
import { redactCommand } from "./redact-command.ts";
import { redactObject } from "./redact-object.ts";

const LINES: readonly string[] = [
  "app --db-password X --level info",
  "app --db-password 'X and X' --level info",
  'app --db-password "X and X" --level info',
  "app --auth=X",
  "app --auth X",
  "docker login -u a -p X registry.example",
  "docker login --username a --password=X",
  "DB_PASS=X app",
  "app -Dspring.redis.auth=X",
  "curl -u admin:X http://a.example/",
  "/usr/bin/curl -sSf --user admin:X http://a.example/",
  "curl --user=admin:X http://a.example/",
  "curl -uadmin:X http://a.example/",
  "sh -c 'mysql -pX -h db'",
  "mysqldump -u root -pX db | gzip",
  "redis-cli -h db -a X ping",
  "redis-cli -a X ping; redis-cli -a X info",
  "sshpass -p X ssh a",
  "wget https://a.example/b?sig=X&X-Amz-Signature=X&x=1",
  "wget 'https://a.example/b?se=1&key=X'",
  "docker run -eM=X -e N=X --env O=X image",
  'app --config {"password":"X","user":"a"}',
];

describe("a command line", () => {
  for (const line of LINES)
    test(`keeps all but the secrets: ${line}`, () => {
      const planted = line.replaceAll(/\bX\b(?!-Amz)/g, "Pl4nted");
      const redacted = redactCommand(planted);
      assert.doesNotMatch(redacted, /Pl4nted/);
      assert.match(redacted, /\[removed\]/);
      assert.equal(
        redacted.split(/[\s/]/)[0],
        planted.split(/[\s/=]/)[0] === "DB_PASS" ? "DB_PASS=[removed]" : planted.split(/[\s/]/)[0],
      );
      assert.equal(redactCommand(redacted), redacted);
      // The same as words of a list, with the program in front of it or as the image.
      const words = planted.split(" ");
      const [, ...args] = words;
      if (/['";|]/.test(planted)) return;
      assert.doesNotMatch(JSON.stringify(redactObject({ command: words })), /Pl4nted/);
      if (/^(?:curl|redis-cli|mysqldump)/.test(planted))
        assert.doesNotMatch(JSON.stringify(redactObject({ image: `${words[0]}:8`, args })), /Pl4nted/);
    });

  test("without secrets stays as it is", () => {
    for (const line of [
      "nginx -g 'daemon off;' -p /srv",
      "docker run -p 80:80 -v /a:/b image",
      "/usr/bin/app --port 80 --user www -a b -u root",
      "sh -c 'while true; do echo hello; sleep 1; done'",
      "curl -sSf http://a.example/?page=2",
      "java -Xmx1g -jar app.jar --monkey=1",
    ]) {
      assert.equal(redactCommand(line), line);
      assert.deepEqual(redactObject({ command: line.split(" ") }), { command: line.split(" ") });
    }
  });

  test("takes no longer than its length warrants, whatever stands in it", () => {
    for (const part of ["curl ", "-u ", "--a ", '"', "mysql -p", "_-", "http://a:", "curl \"'", "-e A="]) {
      const before = process.cpuUsage();
      redactCommand(part.repeat(4000));
      // Of a processor: what else the machine does is not its own.
      assert.ok(process.cpuUsage(before).user < 2_000_000, part);
    }
  });
});

describe("an object", () => {
  test("keeps the names of a probe's headers, of pairs that are secrets, and of Docker's parameters", () => {
    const probe = {
      httpGet: {
        path: "/",
        httpHeaders: [
          { name: "Authorization", value: "Pl4nted" },
          { name: "X-A", value: "Pl4nted" },
        ],
      },
    };
    const docker = {
      parameters: [
        { key: "env", value: "A=Pl4nted" },
        { key: "hostname", value: "a" },
      ],
    };
    const text = JSON.stringify(redactObject({ probe, docker, pairs: [{ name: "API_KEY", value: "Pl4nted" }] }));
    assert.doesNotMatch(text, /Pl4nted/);
    for (const word of ["Authorization", "X-A", "API_KEY", '"value":"a"']) assert.ok(text.includes(word), word);
  });

  test("is still one when its text is looked through again", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LINES, '"', "\\", "--token ", "'")), (parts) => {
        const object = { command: parts, cmd: parts.join(" ") };
        assert.equal(typeof JSON.parse(redactText(JSON.stringify(redactObject(object)))), "object");
        assert.equal(typeof JSON.parse(redactText(JSON.stringify(object))), "object");
      }),
    );
  });
});
