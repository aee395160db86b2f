import { baseUrl, type DemoUser } from "./fixtures";

async function send<T>(user: DemoUser, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(new URL(path, baseUrl()), {
    method,
    headers: { authorization: `Bearer ${user.apiToken ?? ""}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** The REST interface as this person, by their token. */
export const apiOf = (user: DemoUser) => ({
  get: <T>(path: string) => send<T>(user, "GET", path),
  post: <T>(path: string, body: unknown = {}) => send<T>(user, "POST", path, body),
  put: <T>(path: string, body: unknown) => send<T>(user, "PUT", path, body),
  delete: (path: string) => send<void>(user, "DELETE", path),
});
