/** Conflicts= is read twice: by fleet's own rules here, and by the scheduler, which may not know fleet. */
import { test } from "node:test";
import fc from "fast-check";
import { globMatches } from "../../../src/personalities/fleet/glob.ts";
import { compileGlob } from "../../../src/scheduling/patterns.ts";

test("the scheduler, which keeps conflicting units apart, reads every pattern of unit names the same way", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."ab.@*?[]^-\\"), maxLength: 10 });
  const names = fc.string({ unit: fc.constantFrom(..."ab.@-\\"), maxLength: 8 });
  fc.assert(
    fc.property(letters, names, (glob, text) => globMatches(glob, text) === compileGlob(glob)(text)),
    {
      numRuns: 2000,
    },
  );
});
