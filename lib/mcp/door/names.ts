import { SEPARATOR } from "@/lib/gateway/list-tools";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/**
 * On the joint door the address of a resource begins with its server: `files+file:///a`. No slug contains a plus, so the
 * first one is the border, and what stands before the colon is still a scheme.
 */
const URI_BORDER = "+";

export type Place = { readonly server: string; readonly name: string };

/** A name of the joint door, or of the door of one server, as that server knows it. */
export function placeOfName(name: string, only: string | null): Place {
  return split(name, SEPARATOR, only);
}

/** An address likewise. */
export function placeOfUri(uri: string, only: string | null): Place {
  return split(uri, URI_BORDER, only);
}

function split(text: string, border: string, only: string | null): Place {
  if (only !== null) return { server: only, name: text };
  const at = text.indexOf(border);
  return at === -1 ? { server: "", name: text } : { server: text.slice(0, at), name: text.slice(at + border.length) };
}

export const jointName = (server: string, name: unknown): string => `${server}${SEPARATOR}${String(name)}`;
export const jointUri = (server: string, uri: unknown): string => `${server}${URI_BORDER}${String(uri)}`;

/** One listed thing under the name that the joint door gives it. */
export function jointOffer(server: string, item: Json): Json {
  if (typeof item["uriTemplate"] === "string") return { ...item, uriTemplate: jointUri(server, item["uriTemplate"]) };
  if (typeof item["uri"] === "string") return { ...item, uri: jointUri(server, item["uri"]) };
  return { ...item, name: jointName(server, item["name"]) };
}

/** What clients can fetch from the web by themselves, as the protocol asks of servers that give such addresses. */
const isOfTheWeb = (uri: string): boolean => /^https?:/i.test(uri);

function jointItem(server: string, item: unknown): unknown {
  if (!isRecord(item)) return item;
  const { type, uri, resource } = item;
  if (type === "resource_link" && typeof uri === "string" && !isOfTheWeb(uri))
    return { ...item, uri: jointUri(server, uri) };
  if (type !== "resource" || !isRecord(resource)) return item;
  const { uri: inner } = resource;
  if (typeof inner !== "string" || isOfTheWeb(inner)) return item;
  return { ...item, resource: { ...resource, uri: jointUri(server, inner) } };
}

const isLink = (item: unknown): boolean =>
  isRecord(item) && (item["type"] === "resource_link" || item["type"] === "resource");

/** What a tool or a prompt gave, with links that can be read at the joint door. Most give none, and are left as they are. */
export function jointLinks(server: string, result: Json): Json {
  const { content, messages } = result;
  if (Array.isArray(content) && content.some(isLink))
    return { ...result, content: content.map((item: unknown) => jointItem(server, item)) };
  if (!Array.isArray(messages) || !messages.some((each) => isRecord(each) && isLink(each["content"]))) return result;
  const moved = messages.map((each: unknown) =>
    isRecord(each) ? { ...each, content: jointItem(server, each["content"]) } : each,
  );
  return { ...result, messages: moved };
}

/** Contents under addresses of the joint door. */
export function jointContents(server: string, result: Json): Json {
  const { contents } = result;
  if (!Array.isArray(contents)) return result;
  return {
    ...result,
    contents: contents.map((each) =>
      isRecord(each) && typeof each["uri"] === "string" ? { ...each, uri: jointUri(server, each["uri"]) } : each,
    ),
  };
}
