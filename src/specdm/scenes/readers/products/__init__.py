"""Products of sensors as agencies deliver them: reflectance, wavelengths, quality and place put together.

    detect      which sensor's product a path is, told by names (folders, archives, metadata) or by what an HDF5 holds
    files       the files of a product, in a folder or an archive
    flags       what quality layers say of pixels, in one vocabulary for all sensors
    planes      bands of several files on one grid, read by window
    hdf5_parts  the same for HDF5: attributes, texts, windows
    enmap, desis, sentinel2, landsat, prisma, emit: one module a sensor
"""
