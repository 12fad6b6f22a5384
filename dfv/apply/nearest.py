"""The mode that finds the images with the nearest codes."""

import os

import numpy as np
from sklearn.neighbors import NearestNeighbors

from dfv.apply.encoding import EncodedFiles, decode_file
from dfv.apply.tables import write_csv
from dfv.apply.task import Task
from dfv.data.dataset import DataError
from dfv.model.image_grids import grid

SHOWN_QUERIES, SHOWN_NEAREST = 12, 10


def nearest(task: Task) -> str:
    """Writes nearest.csv, and nearest.png of the first queries, each at the left of its nearest images."""
    searched = task.encoded("images")
    queries = task.encoded("queries") if "queries" in task.images else searched
    rows, distances = find_nearest(searched, queries, task.modes.nearest_by, task.modes.num_nearest)
    lines = (
        (query, rank, searched.files.names[row], distance)
        for query, *found in zip(queries.files.names, rows, distances, strict=True)
        for rank, (row, distance) in enumerate(zip(*found, strict=True), 1)
    )
    with task.out.opened("nearest.csv") as file:
        write_csv(file, ("query", "rank", "path", "distance"), lines)
    pictures = [
        [queries.files.folder / name, *(searched.files.folder / searched.files.names[row] for row in found)]
        for name, found in zip(queries.files.names[:SHOWN_QUERIES], rows[:, :SHOWN_NEAREST], strict=False)
    ]
    rows_of_images = [np.stack([decode_file(task.model, path) for path in paths]) for paths in pictures]
    task.out.write_png("nearest.png", grid(rows_of_images))
    return f"the {rows.shape[1]} nearest images of {len(rows):,} queries"


def find_nearest(searched: EncodedFiles, queries: EncodedFiles, by: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows and distances, [Q, number] each, of the images with the nearest s, or mean of z, to each query's.

    A file is not found for itself; of links to one file, the first is found. Fewer are returned if there are fewer;
    raises DataError if there are none.
    """
    codes, query_codes = (each.s if by == "s" else each.z_mean for each in (searched, queries))
    paths, own = (np.array([os.path.realpath(path) for path in each.files.paths]) for each in (searched, queries))
    first = np.sort(np.unique(paths, return_index=True)[1])
    codes, paths = codes[first], paths[first]
    is_searched = np.isin(own, paths)
    number = min(number, len(codes) - bool(is_searched.any()))
    if not number:
        raise DataError("--images has no image other than the query; give a folder with more images.")
    search = NearestNeighbors(n_neighbors=number + int(is_searched.any()), algorithm="brute").fit(codes)
    distances, rows = search.kneighbors(query_codes)
    keep = paths[rows] != own[:, None]
    keep[keep.all(1), number:] = False
    return first[rows[keep]].reshape(-1, number), distances[keep].reshape(-1, number)
