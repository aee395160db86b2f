export type Symptom = { readonly symptom: string; readonly cause: string; readonly fix: string };

/** What people see when a client does not connect, and what it means here. */
export const SYMPTOMS: readonly Symptom[] = [
  {
    symptom: "401, or the client opens a sign-in page",
    cause: "No key arrived, or it is revoked, expired, or the agent is suspended.",
    fix: "Check that the header reads exactly Authorization: Bearer cs_…, with no line break. Cursor drops a configured header when it finds OAuth discovery first: restart it after editing. Mint a fresh key here if unsure.",
  },
  {
    symptom: "Connected, but no tools are listed",
    cause: "A tool is listed exactly when this agent may call it. It holds no permission that a mapped tool needs.",
    fix: "Open the agent's effective tools, then give it a role on the Access page.",
  },
  {
    symptom: "A call answers “Denied: … lacks …”",
    cause: "The permission named in the answer is missing.",
    fix: "Open the audit entry named in the answer; its trace links to the mapping and the role to change.",
  },
  {
    symptom: "403, origin refused",
    cause: "A browser page called the door, or a proxy changed the Host header.",
    fix: "Call from a client outside the browser, or have the operator set PUBLIC_URL to the address you use.",
  },
  {
    symptom: "The client starts a process instead of connecting",
    cause: "Claude Code takes a URL without --transport http as a command.",
    fix: "Put --transport http before the name, as in the snippet.",
  },
  {
    symptom: "“circuit open” or a timeout",
    cause: "The server behind the gateway fails or is slow; the gateway itself is well.",
    fix: "Look at the server's page: its circuit says when it is tried again.",
  },
  {
    symptom: "Connection refused",
    cause: "The client runs on another machine, in a container or in WSL, where this address means itself.",
    fix: "Use the address under which that machine reaches the gateway.",
  },
];
