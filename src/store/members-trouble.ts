import type { JournalMember, SharedJournal } from "./journal.ts";

/** `2 of 3 members of etcd answer; http://h2:2379: connection refused`; undefined when all do. */
export function membersTrouble(members: readonly JournalMember[]): string | undefined {
  const silent = members.filter(({ problem }) => problem !== undefined);
  if (silent.length === 0) return undefined;
  const answering = members.length - silent.length;
  const each = silent.map(({ url, problem }) => `${url}: ${problem}`);
  return [`${answering} of ${members.length} members of etcd ${answering === 1 ? "answers" : "answer"}`, ...each].join(
    "; ",
  );
}

/** Of a journal that has members. */
export async function troubleOf(journal: object): Promise<string | undefined> {
  const { members } = journal as Partial<SharedJournal>;
  return members && membersTrouble(await members.call(journal));
}
