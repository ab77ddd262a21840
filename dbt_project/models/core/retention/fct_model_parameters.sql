{# A model that could not be fitted has one row too, without a parameter: its reason must be seen. #}
{{ config(tags=["scored"]) }}

with
    fits as (select * from {{ source("estimates", "fits") }}),

    parameters as (select * from {{ source("estimates", "parameters") }}),

    final as (
        select
            fits.model,
            fits.scope,
            coalesce(parameters.parameter, '') as parameter,
            parameters.value,
            parameters.standard_error,
            fits.status,
            fits.reason,
            fits.base_count,
            fits.log_likelihood,
            fits.loss,
            fits.iterations,
            fits.is_converged,
            fits.as_of as fit_date
        from fits
        left join parameters using (model, scope)
    )

select *
from final
