import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { bus } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import { serversOffering } from "@/lib/gateway/list-offers";
import { recordArrival } from "@/lib/gateway/record-request";
import { requireCallerAlive } from "@/lib/gateway/require-alive";
import { announce, type Wanted } from "@/lib/mcp/door/announcements";
import { resultMeta } from "@/lib/mcp/door/answers";
import { ownerOf } from "@/lib/mcp/door/conversation";
import type { DoorAnswer, Write } from "@/lib/mcp/door/door-request";
import { placeOfUri } from "@/lib/mcp/door/names";
import { enterStream } from "@/lib/mcp/door/newest-stream";
import { eventOf, keepAlive, STREAM_HEADERS } from "@/lib/mcp/door/progress-stream";
import { uuidOf } from "@/lib/mcp/door/session-ids";
import { followedBy } from "@/lib/mcp/door/session-notes";
import { holdStream } from "@/lib/mcp/door/standing-streams";
import type { Visit } from "@/lib/mcp/door/visit";
import { isRecord, type Json, META, type Notice } from "@/lib/mcp/upstream/protocol";

const MAX_URIS = 256;
const OPEN = ": open\n\n";

type Agreed = { readonly wanted: Wanted; readonly told: Json };

/** Of what a client wants to hear, what it can be told: its answer has to say so. */
async function agreedOf({ gateway, identity, envelope, server }: Visit): Promise<Agreed> {
  const filter = envelope.params["notifications"];
  if (!isRecord(filter)) throw new AppError("invalid_input", "params.notifications must be an object.");
  const [reading, prompting] = await Promise.all(
    ([RESOURCES, PROMPTS] as const).map((key) => serversOffering(gateway, identity, key, server)),
  );
  const readable = new Set(reading?.map(({ slug }) => slug));
  const given = Array.isArray(filter["resourceSubscriptions"]) ? filter["resourceSubscriptions"].map(String) : [];
  const uris = given.filter((uri) => readable.has(placeOfUri(uri, server).server)).slice(0, MAX_URIS);
  const tools = filter["toolsListChanged"] === true;
  const prompts = filter["promptsListChanged"] === true && prompting?.length !== 0;
  const resources = filter["resourcesListChanged"] === true && readable.size > 0;
  return {
    wanted: { tools, prompts, resources, places: uris.map((uri) => placeOfUri(uri, server)) },
    told: {
      ...(tools ? { toolsListChanged: true } : {}),
      ...(prompts ? { promptsListChanged: true } : {}),
      ...(resources ? { resourcesListChanged: true } : {}),
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    },
  };
}

/** `subscriptions/listen`: acknowledged first, then everything under the id of the request. */
export async function answerListen(visit: Visit): Promise<DoorAnswer> {
  const { wanted, told } = await agreedOf(visit);
  const { gateway, identity, envelope, entrance } = visit;
  const entry = await recordArrival(gateway, identity, entrance, envelope.method);
  const _meta = { [META.subscriptionId]: envelope.id };
  const acknowledged = {
    method: "notifications/subscriptions/acknowledged",
    params: { notifications: told, _meta },
  };
  return stream(visit, (to, onLost) => {
    to(eventOf(acknowledged));
    const tell = ({ method, params }: Notice) => to(eventOf({ method, params: { ...params, _meta } }));
    const { end } = announce(visit, () => wanted, { tell, onLost });
    return () => {
      end();
      const result = { resultType: "complete", _meta: { ...resultMeta("modern", entry), ..._meta } };
      to(eventOf({ id: envelope.id, result }));
    };
  });
}

/** The stream behind GET, on which clients of the sessions era hear what happens beside their calls. */
export async function openSessionStream(visit: Visit): Promise<DoorAnswer> {
  await recordArrival(visit.gateway, visit.identity, visit.entrance, "GET");
  return stream(visit, (to, onLost) => {
    const tell = ({ method, params }: Notice) => {
      if (streaming.isNewest()) to(eventOf({ method, params }));
    };
    // What is in between may hold headers back until something is written.
    to(OPEN);
    const streaming = enterStream(ownerOf(visit));
    const following = followedBy(ownerOf(visit), () => announcing.again());
    const { places } = following;
    const wanted = (): Wanted => ({ tools: true, prompts: true, resources: true, places: [...places.values()] });
    const announcing = announce(visit, wanted, { tell, onLost });
    return () => {
      announcing.end();
      following.leave();
      streaming.leave();
    };
  });
}

type Begin = (to: Write, onLost: () => void) => () => void;

/** Throws `killed` while a kill switch stops the caller, its tenant, or the server whose door it is. */
async function stream(visit: Visit, begin: Begin): Promise<DoorAnswer> {
  const { gateway, identity, entrance, server, session, signal, header, profile } = visit;
  await requireCallerAlive(gateway, identity, server);
  const held = holdStream(visit.connection ?? identity.credentialId ?? identity.actor.id, signal);
  // Whoever is changed may lose the key or a right: the next stream is opened by who they are then.
  const forget = bus.subscribe((message) => {
    if (!("tenantId" in message) || message.tenantId !== identity.tenantId) return;
    const changed =
      (message.topic === "agent.changed" && message.agentId === identity.actor.id) ||
      message.topic === "tenant.changed" ||
      (message.topic === "profile.changed" && profile !== undefined) ||
      // Without headers of its own there is no key to ask again what its roles allow.
      (message.topic === "role.changed" && header === undefined) ||
      (message.topic === "agent_session.ended" && session !== null && message.session === uuidOf(session));
    if (changed) held.end();
  });
  const leave = gateway.inFlight.enter({ identity, ref: { server: server ?? "", tool: "" } }, held.end);
  return {
    status: 200,
    headers: { ...STREAM_HEADERS, "x-request-id": entrance.requestId },
    async body(to) {
      const rest = keepAlive(to);
      let end: () => void = () => undefined;
      try {
        end = begin(to, held.end);
        await held.over;
      } finally {
        rest();
        end();
        held.end();
        forget();
        leave();
      }
    },
  };
}
