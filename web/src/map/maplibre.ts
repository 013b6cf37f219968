/** MapLibre, loaded only when a map is shown, with its worker from our own origin (CSP `worker-src 'self'`). */
import { Map as MapView, setWorkerUrl, type ExpressionSpecification, type LngLatBoundsLike } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { t } from "@/i18n";

setWorkerUrl(workerUrl);

export type { MapView };
export type Bounds = [number, number, number, number];

interface Options {
  container: HTMLElement;
  bounds: Bounds;
  districts: GeoJSON.FeatureCollection;
  padding: number;
  label: string;
  /** On touch screens one finger scrolls the page, two move the map. */
  cooperative: boolean;
  paint: Paint;
}

/** A map that draws nothing but our own districts: no tiles, no glyphs, no request to anybody. */
export function createMap({ container, bounds, districts, padding, label, cooperative, paint }: Options): MapView {
  return new MapView({
    container,
    bounds: bounds as LngLatBoundsLike,
    fitBoundsOptions: { padding },
    attributionControl: false,
    maxPitch: 0,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 15,
    minZoom: 6,
    renderWorldCopies: false,
    cooperativeGestures: cooperative,
    locale: {
      "Map.Title": label,
      "CooperativeGesturesHandler.WindowsHelpText": t("map.gestureWheel"),
      "CooperativeGesturesHandler.MacHelpText": t("map.gestureWheel"),
      "CooperativeGesturesHandler.MobileHelpText": t("map.gestureTouch"),
    },
    style: {
      version: 8,
      sources: { districts: { type: "geojson", data: districts } },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": paint.ground } },
        { id: "fill", type: "fill", source: "districts", paint: { "fill-color": paint.land } },
        { id: "line", type: "line", source: "districts", paint: { "line-color": paint.line, "line-width": 1 } },
        { id: "chosen", type: "line", source: "districts", filter: ["==", ["get", "code"], ""], paint: { "line-color": paint.ink, "line-width": 2.5 } },
      ],
    },
  });
}

export interface Paint {
  ground: string;
  line: string;
  ink: string;
  land: string;
  /** District code → fill colour. */
  fills: ReadonlyMap<string, string>;
  chosen: string;
}

export function paintMap(map: MapView, paint: Paint): void {
  const pairs = [...paint.fills].flat();
  map.setPaintProperty("ground", "background-color", paint.ground);
  map.setPaintProperty("line", "line-color", paint.line);
  map.setPaintProperty("chosen", "line-color", paint.ink);
  map.setPaintProperty("fill", "fill-color", pairs.length > 0 ? (["match", ["get", "code"], ...pairs, paint.land] as unknown as ExpressionSpecification) : paint.land);
  map.setFilter("chosen", ["==", ["get", "code"], paint.chosen]);
}
