import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tidy } from "./tidy.ts";

/** One planted offender per rule: a rule that cannot fail protects nothing. */
const OFFENDERS: readonly { readonly rule: string; readonly path: string; readonly text: string }[] = [
  { rule: "import", path: "src/model/a.ts", text: 'import { x } from "../store/store.ts";' },
  { rule: "import", path: "src/model/a.ts", text: 'import type { x } from "../store/store.ts";' },
  { rule: "import", path: "src/agent/a.ts", text: 'import {\n  x,\n} from "../scheduling/scheduler.ts";' },
  { rule: "import", path: "src/personalities/fleet/a.ts", text: 'import { x } from "../marathon/b.ts";' },
  { rule: "import", path: "src/cli/ps.ts", text: 'await import("../app/up.ts");' },
  { rule: "import", path: "src/elsewhere/a.ts", text: 'import { x } from "../lib/assert.ts";' },
  { rule: "ambient", path: "src/agent/a.ts", text: "const now = Date.now();" },
  { rule: "ambient", path: "src/agent/a.ts", text: "setTimeout(f, 5);" },
  { rule: "ambient", path: "src/model/a.ts", text: "const id = randomUUID();" },
  { rule: "module-state", path: "src/agent/a.ts", text: "let count = 0;" },
  { rule: "module-state", path: "src/agent/a.ts", text: "const seen = new Map<string, number>();" },
  { rule: "environment", path: "src/agent/a.ts", text: "const x = process.env.HOME;" },
  { rule: "listen", path: "src/http/a.ts", text: "server.listen(80);" },
  { rule: "shell", path: "src/drivers/a.ts", text: "spawn(x, { shell: true });" },
  { rule: "shell", path: "src/drivers/a.ts", text: 'import { exec } from "node:child_process";' },
  { rule: "swallowed", path: "src/drivers/a.ts", text: "try { f(); } catch { return []; }" },
  { rule: "swallowed", path: "src/drivers/a.ts", text: "await f().catch(() => []);" },
  { rule: "dead-link", path: "docs/a.md", text: "[x](nowhere.md)" },
  { rule: "dead-link", path: "docs/a.md", text: "# A `b`, c\n[x](#a-b-d)" },
];

describe("tidy", () => {
  for (const { rule, path, text } of OFFENDERS) {
    test(`finds ${rule}: ${text.replaceAll("\n", " ")}`, () => {
      const { findings } = tidy([{ path, text }]);
      assert.deepEqual(
        findings.map((finding) => finding.rule),
        [rule],
      );
    });
  }

  test("says nothing about what is allowed", () => {
    const files = [
      { path: "src/store/a.ts", text: 'import { x } from "../model/pod.ts";\nconst TABLE = new Map([[1, 2]]);' },
      { path: "src/seams/clock.ts", text: "return Date.now();" },
      { path: "src/app/a.ts", text: 'import { x } from "../agent/agent.ts";\nprocess.env.HOME;' },
      { path: "src/controllers/a.ts", text: 'import { fits } from "../scheduling/fit.ts";' },
      { path: "docs/a.md", text: "[x](b.md) [y](https://example.org) [z](../src/store)" },
      { path: "docs/b.md", text: "# A `b`: c, d!\n## More\n## More\n[x](#a-b-c-d) [y](b.md#more-1)" },
    ];
    assert.deepEqual(tidy(files), { findings: [], read: files.length });
  });
});
