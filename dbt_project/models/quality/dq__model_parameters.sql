{# A model that could not be fitted has one row too, without a parameter: its reason must be seen. #}
with
    fits as (select * from {{ source("estimates", "fits") }}),

    parameters as (select * from {{ source("estimates", "parameters") }}),

    joined as (
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
    ),

    final as (
        select
            model,
            scope,
            parameter,
            cast(value as {{ type_double() }}) as parameter_value,
            cast(standard_error as {{ type_double() }}) as standard_error,
            status,
            reason,
            cast(base_count as bigint) as base_count,
            cast(log_likelihood as {{ type_double() }}) as log_likelihood,
            cast(loss as {{ type_double() }}) as loss,
            cast(iterations as bigint) as iteration_count,
            is_converged,
            fit_date
        from joined
    )

select *
from final
