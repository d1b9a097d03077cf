"""From what a user names to scenes: plan the sources of each scene, read them, interpret them, put them together.

    options       everything a user can say
    sources       images, masks and dates as given -> `plan.OpeningPlan`; folder layouts make one too
    file_dates    several dates in one file
    read          a source -> a raster
    date_images   the images of the dates -> one image
    truth         mask rasters -> class masks or amounts
    build         a plan -> scenes
"""
