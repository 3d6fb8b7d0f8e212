"""Value vectors of experts: `L12E3D45`."""
