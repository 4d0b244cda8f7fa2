/**
 * Of a connection whose first packet nobody answered, the kernel forgets before the client sends it again (after a second, RFC 6298) to which
 * endpoint it went: the second try goes to one that is there. Left alone it remembers for two minutes, and longer with each try; it
 * recognises such a connection by the client's port, which clients use again.
 */
export const UNANSWERED = "svc-unanswered";

/** What is not named is as the host has it (nf_conntrack_tcp_timeout_…) when this is made. */
export const UNANSWERED_DEFINITION = "ct timeout { protocol tcp; l3proto ip; policy = { syn_sent: 1 }; }";
