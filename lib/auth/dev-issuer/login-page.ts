import { type DemoUser, nameOf } from "@/lib/auth/dev-issuer/demo-users";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#14181f;--muted:#5a6472;--line:#d9dee6;--accent:#1f5fbf;--bad:#a4161a}
@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--card:#161b22;--ink:#e8ecf2;--muted:#9aa5b4;--line:#2b333f;--accent:#7db0ff;--bad:#ff8a8a}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:0 auto;padding:3rem 1rem}section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.5rem}
h1{font-size:1.25rem;margin:0 0 .25rem}h2{font-size:.95rem;margin:1.5rem 0 .5rem}p{margin:0 0 1rem;color:var(--muted)}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}
input{width:100%;padding:.6rem .7rem;border:1px solid var(--line);border-radius:8px;background:var(--bg);color:var(--ink);font:inherit}
button{font:inherit;cursor:pointer}.main{width:100%;margin-top:1rem;padding:.65rem;border:0;border-radius:8px;background:var(--accent);color:var(--card);font-weight:600}
ul{list-style:none;margin:0;padding:0;display:grid;gap:.5rem}
.who{width:100%;text-align:left;padding:.55rem .7rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:var(--ink)}
.who span{display:block;color:var(--muted);font-size:.85rem}.bad{color:var(--bad);font-weight:600}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main><section>${body}</section></main></body></html>`;

/** The sign-in form of the development issuer. Works without scripts and loads nothing. */
export function loginPage(users: readonly DemoUser[], email: string, problem: string | null): string {
  const alert = problem === null ? "" : `<p class="bad" role="alert">${escaped(problem)}</p>`;
  return page(
    "Development sign-in",
    `<h1>Development sign-in</h1>
<p>An OpenID Connect issuer inside this process, for demos on this machine only. Do not type a real password.</p>${alert}
<form method="post"><label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${escaped(email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="main" type="submit">Sign in</button></form>${usersList(users)}`,
  );
}

function usersList(users: readonly DemoUser[]): string {
  if (users.length === 0) return "<h2>No demo accounts</h2><p>The demo data has not been seeded.</p>";
  const items = users.map((user) => {
    const where = user.places.length === 0 ? "no tenant" : user.places.join(" · ");
    return `<li><form method="post"><input type="hidden" name="email" value="${escaped(user.email)}">
<input type="hidden" name="password" value="${escaped(user.password)}">
<button class="who" type="submit">Continue as ${escaped(nameOf(user))}<span>${escaped(user.email)} · ${escaped(where)}</span></button></form></li>`;
  });
  return `<h2>Demo accounts</h2><ul>${items.join("\n")}</ul>`;
}

/** What the issuer says when a request makes no sense. */
export const errorPage = (what: string, why: string): string =>
  page(
    "Sign-in could not go on",
    `<h1>Sign-in could not go on</h1><p>${escaped(what)}</p><p>${escaped(why)}</p>
<p><a href="/sign-in">Back to sign-in</a></p>`,
  );
