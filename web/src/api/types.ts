// Short names for the generated wire types. Nothing is declared here that the server's schema already says.
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Health = Schemas["Health"];
export type ModelReport = Schemas["ModelReport"];

export type TraceView = Schemas["TraceView"];
export type LayerView = Schemas["LayerView"];
export type HeadUpdate = Schemas["HeadUpdate"];

export type WhyAnswer = Schemas["Why"];
export type WhyPart = Schemas["WhyPart"];
export type Flow = Schemas["Flow"];
export type FlowEdge = Schemas["FlowEdge"];
export type FlowHead = Schemas["FlowHead"];
export type LensSummary = Schemas["LensSummary"];
export type LensListing = Schemas["LensListing"];
export type FitSummary = Schemas["FitSummary"];
export type LensComparison = Schemas["LensComparison"];
export type SessionView = Schemas["SessionView"];
export type SessionNode = Schemas["NodeView"];
export type SessionSummary = Schemas["SessionSummary"];
export type SessionList = Schemas["Sessions"];
export type WatchCheck = Schemas["WatchCheck"];
export type WatchPath = Schemas["WatchPath"];
export type WatchSeries = Schemas["WatchSeries"];
export type WatchView = Schemas["WatchView"];
export type BreakpointView = Schemas["BreakpointView"];
export type FrameView = Schemas["FrameView"];
export type RunDifference = Schemas["RunDifference"];
export type FixAnswer = Schemas["Fix"];
export type SweepAnswer = Schemas["Sweep"];
export type HeadTable = Schemas["HeadTable"];
export type HeadRow = Schemas["HeadRow"];
export type Bisection = Schemas["Bisection"];
export type PathMap = Schemas["PathMap"];
export type PathEffect = Schemas["PathEffect"];
export type PatchMap = Schemas["PatchMap"];
export type HeadView = Schemas["HeadView"];
export type SubUpdate = Schemas["SubUpdate"];
export type TokenScore = Schemas["TokenScore"];
export type Token = Schemas["Token"];
export type Comparison = Schemas["Comparison"];
export type LensGrid = Schemas["LensGrid"];
export type Trajectory = Schemas["Trajectory"];
export type TokenPath = Schemas["TokenPath"];
export type CoefficientPath = Schemas["CoefficientPath"];
export type CoefficientRange = Schemas["CoefficientRange"];
export type Generation = Schemas["Generation"];
export type GeneratedToken = Schemas["GeneratedToken"];
export type NamedValue = Schemas["NamedValue"];
export type PromotedToken = Schemas["PromotedToken"];
export type ValueNote = Schemas["ValueNote"];
export type Examples = Schemas["Examples"];
export type Names = Schemas["Names"];
export type Recipes = Schemas["Recipes"];
export type SavedRecipe = Schemas["SavedRecipe"];
export type Runs = Schemas["Runs"];
export type SavedRun = Schemas["SavedRun"];
export type Tokenization = Schemas["Tokenization"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type SearchResult = Schemas["SearchResult"];
export type Keyword = Schemas["Keyword"];
export type SimilarValue = Schemas["SimilarValue"];
export type Clustering = Schemas["Clustering"];
export type ClusterBrief = Schemas["ClusterBrief"];
export type ClusterView = Schemas["ClusterView"];
export type ClusterMember = Schemas["ClusterMember"];
export type CalibrationSummary = Schemas["CalibrationSummary"];

type JsonBody<T> = T extends { requestBody: { content: { "application/json": infer B } } } ? B : never;
type Loose<T> = { [K in keyof T]?: T[K] };

/** The JSON body of a POST: every field that the server gives a default may be left out. */
export type PostBody<P extends keyof paths> = paths[P] extends { post: infer O } ? Loose<JsonBody<O>> : never;
