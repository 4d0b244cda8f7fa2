import { type AcmeChallenge, acmeChallenges } from "../model/acme-challenge.ts";
import type { ChallengeEntry } from "../model/network.ts";
import type { EntrySource } from "./entry-source.ts";

/** Answers that every way-in node gives while certificates are ordered. */
export function challengesSource(): EntrySource {
  return {
    name: "challenges",
    kinds: [acmeChallenges],
    begin(reader, sink) {
      for (const challenge of reader.list(acmeChallenges)) sink.put(entryOf(challenge), "ways-in");
    },
    changed(changes, _reader, sink) {
      for (const { type, object } of changes) {
        const entry = entryOf(object as AcmeChallenge);
        if (type === "removed") sink.remove("challenge", entry.id);
        else sink.put(entry, "ways-in");
      }
    },
  };
}

function entryOf({ spec }: AcmeChallenge): ChallengeEntry {
  return { kind: "challenge", id: spec.token, answer: spec.answer };
}
