import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  ChangeChannelInput,
  ChannelList,
  ChannelView,
  ChannelWithSecret,
  CreateChannelInput,
  NoticeView,
  TestResult,
} from "@/lib/channels/schemas";
import { getJson, queryString, sendJson } from "@/lib/client/api";
import type { Page } from "@/lib/core/wire";

export const channelKeys = {
  all: (tenant: string) => [tenant, "alert-channels"] as const,
  list: (tenant: string) => [tenant, "alert-channels", "list"] as const,
  notices: (tenant: string, id: string) => [tenant, "alert-channels", "notices", id] as const,
};

const ADDRESS = "/api/v1/alert-channels";

/** Where alerts are told, and how the last notice fared: looked at again while notices go out. */
export const channelsQuery = (tenant: string) =>
  queryOptions({
    queryKey: channelKeys.list(tenant),
    queryFn: ({ signal }) => getJson<ChannelList>(ADDRESS, tenant, signal),
    refetchInterval: 10_000,
  });

/** What one channel was told, newest first. */
export const noticesQuery = (tenant: string, id: string) =>
  infiniteQueryOptions({
    queryKey: channelKeys.notices(tenant, id),
    queryFn: ({ pageParam, signal }) =>
      getJson<Page<NoticeView>>(`${ADDRESS}/${id}/notices${queryString({ cursor: pageParam })}`, tenant, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<NoticeView>) => page.nextCursor,
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  });

export const createChannel = (tenant: string, input: CreateChannelInput) =>
  sendJson<ChannelWithSecret>("POST", ADDRESS, tenant, input);

export const changeChannel = (tenant: string, input: ChangeChannelInput) =>
  sendJson<ChannelView>("PATCH", `${ADDRESS}/${input.id}`, tenant, input);

export const deleteChannel = (tenant: string, id: string) =>
  sendJson<unknown>("DELETE", `${ADDRESS}/${id}`, tenant, { id });

/** Sends a marked notice at once. */
export const testChannel = (tenant: string, id: string) =>
  sendJson<TestResult>("POST", `${ADDRESS}/${id}/test`, tenant, { id });

export const rotateChannelSecret = (tenant: string, id: string) =>
  sendJson<ChannelWithSecret>("POST", `${ADDRESS}/${id}/secret`, tenant, { id });
