//! Areas on Earth, which filters of places name (feeds-v3 §3.1, §6).

use serde_json::Value as Json;

/// The radius of the Earth, in kilometres.
const EARTH_KM: f64 = 6371.0;

/// A part of the Earth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Area {
    /// What is at most so far from a place.
    Near {
        /// Degrees north.
        lat: f64,
        /// Degrees east.
        lng: f64,
        /// How far, in kilometres.
        km: f64,
    },
    /// What is between two corners; one whose west is east of its east goes over the date line.
    Within {
        /// Degrees north of the upper edge.
        north: f64,
        /// Degrees east of the right edge.
        east: f64,
        /// Degrees north of the lower edge.
        south: f64,
        /// Degrees east of the left edge.
        west: f64,
    },
}

impl Area {
    /// Reads `{lat, lng, distance}`, the distance in kilometres, or `{ne_lat, ne_lng, sw_lat, sw_lng}`.
    pub fn parse(json: &Json) -> Option<Self> {
        let number = |name: &str, max: f64| json.get(name)?.as_f64().filter(|number| number.abs() <= max);
        if json.get("distance").is_some() {
            let km = number("distance", f64::MAX).filter(|km| *km >= 0.0)?;
            return Some(Area::Near { lat: number("lat", 90.0)?, lng: number("lng", 180.0)?, km });
        }
        Some(Area::Within {
            north: number("ne_lat", 90.0)?,
            east: number("ne_lng", 180.0)?,
            south: number("sw_lat", 90.0)?,
            west: number("sw_lng", 180.0)?,
        })
    }

    /// Whether the place is in it.
    pub fn holds(&self, lat: f64, lng: f64) -> bool {
        match *self {
            Area::Near { lat: from_lat, lng: from_lng, km } => distance_km((from_lat, from_lng), (lat, lng)) <= km,
            Area::Within { north, east, south, west } => {
                let is_between = if west <= east { west <= lng && lng <= east } else { west <= lng || lng <= east };
                south <= lat && lat <= north && is_between
            }
        }
    }
}

/// How far two places are from each other over the ground: latitudes and longitudes in degrees.
fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let chord = half(lat_a, lat_b) + lat_a.cos() * lat_b.cos() * half(a.1.to_radians(), b.1.to_radians());
    2.0 * EARTH_KM * chord.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_near_is_so_many_kilometres_away_at_most() {
        let amsterdam = |km: f64| Area::parse(&json!({ "lat": 52.37, "lng": 4.9, "distance": km })).unwrap();
        // Rotterdam is 57 km away.
        assert!(amsterdam(60.0).holds(51.92, 4.48) && !amsterdam(50.0).holds(51.92, 4.48));
        assert!(amsterdam(0.0).holds(52.37, 4.9));
    }

    #[test]
    fn bounds_may_go_over_the_date_line() {
        let bounds = |west: f64, east: f64| {
            Area::parse(&json!({ "ne_lat": 10, "ne_lng": east, "sw_lat": -10, "sw_lng": west })).unwrap()
        };
        assert!(bounds(-5.0, 5.0).holds(0.0, 0.0) && !bounds(-5.0, 5.0).holds(11.0, 0.0));
        assert!(bounds(170.0, -170.0).holds(0.0, 179.0) && !bounds(170.0, -170.0).holds(0.0, 0.0));
    }

    #[test]
    fn what_lacks_a_number_or_is_not_on_earth_is_no_area() {
        for unfit in [
            json!(1),
            json!({ "lat": 1, "lng": 2 }),
            json!({ "lat": 91, "lng": 2, "distance": 1 }),
            json!({ "lat": 1, "lng": 2, "distance": -1 }),
            json!({ "ne_lat": 1, "ne_lng": 2, "sw_lat": 0 }),
        ] {
            assert_eq!(Area::parse(&unfit), None, "{unfit}");
        }
    }
}
