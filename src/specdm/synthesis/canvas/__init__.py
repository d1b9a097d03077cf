"""Scenes of any size from a model of tiles: all windows share one state of latents, which lies in files.

    windows   where windows lie and how much each counts
    cells     latents of a scene, in a file
    draws     all that is drawn at random: by place, not by order
    ground    what is known of a scene that is extended
    latents   noise to latents, the velocities of overlapping windows averaged
    pixels    latents to pixels, part by part
    files     what a scene on disk says beside its values; `netcdf` and `geotiff` write it
    room      whether it fits on the disk
    order     what a call asks for, checked
    sampling  all of it in a row
"""
