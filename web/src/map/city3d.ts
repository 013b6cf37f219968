/** The city in three dimensions: buildings from our own vector tiles, ground and pipes as GeoJSON; no request to anybody else. */
import { Map as MapView, type ExpressionSpecification, type GeoJSONSource } from "maplibre-gl";
import "./maplibre";
import type { Bounds } from "./maplibre";

export type { MapView };
export type Palette = Readonly<Record<string, string>>;

export interface Paint3d {
  ground: string;
  land: string;
  water: string;
  green: string;
  road: string;
  line: string;
  chosen: string;
  building: ExpressionSpecification | string;
  pipe: ExpressionSpecification | string;
  /** Lower while pipes are shown, so that they can be seen. */
  opacity: number;
}

interface Options {
  container: HTMLElement;
  bounds: Bounds;
  highest: number;
  label: string;
  paint: Paint3d;
  cooperative: boolean;
}

const TILES = "/ogc/collections/buildings/tiles/WebMercatorQuad/{z}/{y}/{x}";
/** A tilted view leaves room above: come closer than the flat fit, less so the higher the buildings are for their ground. */
function closer(highest: number, [west, south, east, north]: Bounds): number {
  const metres = 111_320 * Math.max(north - south, (east - west) * Math.cos((south * Math.PI) / 180), 0.0005);
  return Math.max(-0.6, 0.5 - (2 * highest) / metres);
}
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
/** Without a height a building is drawn as high as its storeys, or as one storey. */
const HEIGHT: ExpressionSpecification = ["coalesce", ["get", "height"], ["*", 3, ["coalesce", ["get", "storeys"], 1]]];

export function createCity({ container, bounds, highest, label, paint, cooperative }: Options): MapView {
  const map = new MapView({
    container,
    bounds,
    fitBoundsOptions: { padding: 40, pitch: 55, bearing: -20 },
    attributionControl: false,
    maxPitch: 75,
    maxZoom: 20,
    minZoom: 8,
    renderWorldCopies: false,
    cooperativeGestures: cooperative,
    locale: { "Map.Title": label },
    style: {
      version: 8,
      light: { anchor: "viewport", intensity: 0.35 },
      sources: {
        buildings: { type: "vector", tiles: [location.origin + TILES], minzoom: 10, maxzoom: 16, promoteId: "code" },
        ground: { type: "geojson", data: EMPTY },
        pipes: { type: "geojson", data: EMPTY },
      },
      layers: [
        { id: "background", type: "background", paint: { "background-color": paint.land } },
        { id: "ground", type: "fill", source: "ground", paint: { "fill-color": groundColour(paint), "fill-antialias": false } },
        { id: "pipes-case", type: "line", source: "pipes", layout: { "line-cap": "round" }, paint: { "line-color": paint.land, "line-width": ["+", 2.5, width()] as ExpressionSpecification } },
        { id: "pipes", type: "line", source: "pipes", layout: { "line-cap": "round" }, paint: { "line-color": paint.pipe, "line-width": width() } },
        {
          id: "buildings",
          type: "fill-extrusion",
          source: "buildings",
          "source-layer": "buildings",
          paint: { "fill-extrusion-color": paint.building, "fill-extrusion-height": HEIGHT, "fill-extrusion-opacity": paint.opacity, "fill-extrusion-vertical-gradient": true },
        },
      ],
    },
  });
  map.setZoom(map.getZoom() + closer(highest, bounds));
  return map;
}

/** The wider the pipe, the wider its line: 100 mm as 2 px, 2 m as 8 px. */
function width(): ExpressionSpecification {
  return ["interpolate", ["linear"], ["coalesce", ["get", "diameter"], 200], 100, 2, 2000, 8];
}

function groundColour(paint: Paint3d): ExpressionSpecification {
  return ["match", ["get", "kind"], "WaterBody", paint.water, "PlantCover", paint.green, "Road", paint.road, paint.ground];
}

export function paintCity(map: MapView, paint: Paint3d, chosen: string): void {
  map.setPaintProperty("background", "background-color", paint.land);
  map.setPaintProperty("ground", "fill-color", groundColour(paint));
  map.setPaintProperty("pipes-case", "line-color", paint.land);
  map.setPaintProperty("pipes", "line-color", paint.pipe);
  map.setPaintProperty("buildings", "fill-extrusion-color", ["case", ["==", ["get", "code"], chosen], paint.chosen, paint.building]);
  map.setPaintProperty("buildings", "fill-extrusion-opacity", paint.opacity);
}

export function setData(map: MapView, source: "ground" | "pipes", data: GeoJSON.FeatureCollection): void {
  (map.getSource(source) as GeoJSONSource | undefined)?.setData(data);
}

